import { join } from 'node:path'
import t from 'tap'
import { checkGpus, parseGpus, type Gpu } from '../../src/doctor/check-gpu.ts'
import { checkImages, judgeFormats } from '../../src/doctor/check-images.ts'
import { checkNode, checkSettings, checkThreadPool } from '../../src/doctor/check-settings.ts'
import { checkDisk, checkTools, outputOf } from '../../src/doctor/check-tools.ts'
import { formatFinding } from '../../src/doctor/finding.ts'

t.test('Node has to be 20.19 or newer', async t => {
  t.strictSame(checkNode('20.19.0'), { status: 'ok', subject: 'Node', found: '20.19.0' })
  t.equal(checkNode('24.1.0').status, 'ok')
  t.strictSame(checkNode('20.18.3'), { status: 'failed', subject: 'Node', found: '20.18.3, needed is 20.19 or newer', remedy: 'install Node 22 or 24' })
  t.equal(checkNode('18.20.0').status, 'failed')
})

t.test('a setting out of bounds is named', async t => {
  t.match(checkSettings({ PORT: '70000' }), { finding: { status: 'failed', found: /env\/PORT must be <= 65535/ } })
  t.match(checkSettings({ VERSION_POLICY: 'newest' }), { finding: { status: 'failed', found: /newest/ } })
  t.match(checkSettings({ MODELS_DIR: '/srv/models' }), { finding: { status: 'ok', found: 'models in /srv/models, port 8501' }, config: { MODELS_DIR: '/srv/models' } })
})

t.test('the thread pool has to hold what may be in flight', async t => {
  const config = { RUN_CONCURRENCY: 0, DECODE_CONCURRENCY: 0 }
  t.match(checkThreadPool({}, config, 2), { status: 'warning', found: '4 threads, needed for what may be in flight: 8', remedy: /UV_THREADPOOL_SIZE=8/ })
  t.equal(checkThreadPool({ UV_THREADPOOL_SIZE: '8' }, config, 2).status, 'ok')
  t.match(checkThreadPool({ UV_THREADPOOL_SIZE: '6' }, { RUN_CONCURRENCY: 4, DECODE_CONCURRENCY: 8 }, 2), { status: 'warning', remedy: /=14/ })
})

const H100: Gpu = { name: 'NVIDIA H100 80GB HBM3', driver: '580.65.06', memory: '81559 MiB', computeCapability: 9 }

t.test('reads what nvidia-smi prints', async t => {
  t.strictSame(parseGpus('NVIDIA H100 80GB HBM3, 580.65.06, 81559 MiB, 9.0\n'), [H100])
  t.match(checkGpus(parseGpus('Tesla K80, 470.1, 11441 MiB, [N/A]'), undefined), [{ found: 'Tesla K80, 11441 MiB, compute capability unknown, driver 470.1' }])
  t.strictSame(parseGpus(undefined), [])
})

t.test('a GPU that TensorFlow uses is fine', async t => {
  t.strictSame(checkGpus([H100], ['CPU', 'GPU']), [{ status: 'ok', subject: 'GPU', found: 'NVIDIA H100 80GB HBM3, 81559 MiB, compute capability 9.0, driver 580.65.06' }])
  t.match(checkGpus([], ['CPU']), [{ status: 'ok', found: /none/ }])
})

t.test('a GPU that TensorFlow does not use is told with the remedy', async t => {
  t.match(checkGpus([H100], ['CPU'], '/home/me/.cache/tensorport/tensorflow-2.21.0-cpu-linux-x64/lib/libtensorflow_cc.so.2'),
    [{ status: 'ok' }, { status: 'warning', found: /runs on the CPU/, remedy: 'TENSORFLOW_VARIANT=gpu npm run setup' }])
  t.match(checkGpus([H100], ['CPU'], '/home/me/.cache/tensorport/tensorflow-2.21.0-gpu-linux-x64/lib/libtensorflow_cc.so.2'),
    [{ status: 'ok' }, { status: 'warning', remedy: /TF_CPP_MIN_LOG_LEVEL=0/ }])
})

t.test('a GPU or a driver that is too old is told', async t => {
  t.match(checkGpus([{ ...H100, computeCapability: 5.2 }], ['CPU', 'GPU']), [{ status: 'warning', remedy: /compute capability 6\.0/ }])
  t.match(checkGpus([{ ...H100, driver: '470.1' }], undefined), [{ status: 'warning', remedy: /525 or newer/ }])
})

t.test('sharp reads all formats here; one that is missing is told', async t => {
  t.match(await checkImages(), { status: 'ok', found: /^sharp \d.*, libvips \d.*: JPEG, PNG, WebP, AVIF, GIF, TIFF$/ })
  t.match(judgeFormats(['JPEG', 'PNG'], 'sharp 1'), { status: 'warning', found: 'sharp 1 can not read WebP, AVIF, GIF, TIFF' })
})

t.test('tools that are missing do not stop a server', async t => {
  const answers: Record<string, string> = { 'python3 --version': 'Python 3.11.7', 'python3 -m pip --version': 'pip 23.2.1 from /somewhere (python 3.11)', 'c++ --version': 'c++ 12.2\nCopyright' }
  const having = (known: Record<string, string>) => async (file: string, args: readonly string[]) => known[[file, ...args].join(' ')]
  t.strictSame(await checkTools(having(answers)), [
    { status: 'ok', subject: 'Python', found: 'Python 3.11.7, pip 23.2.1' },
    { status: 'ok', subject: 'compiler', found: 'c++ 12.2' }
  ])
  t.match(await checkTools(having({ 'python3 --version': 'Python 3.11.7' })), [{ status: 'warning', found: /^Python 3\.11\.7 without pip/ }, { status: 'warning', found: /training works without/ }])
  t.match(await checkTools(having({})), [{ status: 'warning', found: /^no python3/ }, { status: 'warning' }])
})

t.test('a program that is missing or fails has no output', async t => {
  t.equal(await outputOf(process.execPath, ['-p', '1 + 1']), '2')
  t.equal(await outputOf(process.execPath, ['-e', 'process.exit(3)']), undefined)
  t.equal(await outputOf('no-such-program', []), undefined)
})

t.test('the disk is asked where the folder will be', async t => {
  t.match(await checkDisk(join(t.testdir(), 'not', 'yet')), { subject: 'disk', found: /^\d+\.\d GB free for .*not\/yet$/ })
})

t.test('a remedy stands under what it is for', async t => {
  t.equal(formatFinding({ status: 'failed', subject: 'models', found: 'none\nat all', remedy: 'npm run setup' }),
    '✗ models          none\n                  at all\n                  → npm run setup')
})
