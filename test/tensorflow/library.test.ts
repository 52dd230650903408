import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { fromBinary } from '@bufbuild/protobuf'
import { configProto, isPresent, libraryCandidates, loadLibrary } from '../../src/tensorflow/index.ts'
import { ConfigProtoSchema } from '../../src/tensorflow/proto/tensorflow_pb.js'

t.test('a path given by LIBTENSORFLOW is the only one tried', async t => {
  t.strictSame(libraryCandidates({ LIBTENSORFLOW: '/opt/tf.so', HOME: '/home/a' }), [{ path: '/opt/tf.so', source: 'LIBTENSORFLOW' }])
})

t.test('looks in the cache, the GPU build first, then at tfjs-node-gpu', async t => {
  const sources = libraryCandidates({ HOME: '/home/a' }).map(({ source }) => source)
  t.strictSame(sources, ['the set-up\'s cache (gpu)', 'the set-up\'s cache (cpu)', 'tfjs-node-gpu', 'tfjs-node-gpu'])
  const [cpu] = libraryCandidates({ XDG_CACHE_HOME: '/cache', TENSORFLOW_VARIANT: 'cpu' })
  t.match(cpu!.path, /^\/cache\/tensorport\/tensorflow-2\.21\.0-cpu-/)
})

t.test('a cache folder without its complete.json does not count', async t => {
  const [candidate] = libraryCandidates({ XDG_CACHE_HOME: t.testdir(), TENSORFLOW_VARIANT: 'cpu' })
  await mkdir(join(candidate!.path, '..'), { recursive: true })
  await writeFile(candidate!.path, '')
  t.notOk(isPresent(candidate!))
  await writeFile(join(candidate!.path, '..', '..', 'complete.json'), '{}')
  t.ok(isPresent(candidate!))
})

t.test('says every place tried when there is no library', async t => {
  const program = `import { loadLibrary } from '${new URL('../../src/tensorflow/index.ts', import.meta.url).href}'
    try { loadLibrary() } catch (error) { console.log(error.code, error.message) }`
  const path = join(t.testdir(), 'program.mjs')
  await writeFile(path, program)
  const run = async (env: Record<string, string>): Promise<string> => (await promisify(execFile)(process.execPath, [...process.execArgv, path], { cwd: fileURLToPath(new URL('../..', import.meta.url)), env: { ...process.env, ...env } })).stdout
  t.match(await run({ LIBTENSORFLOW: '/nowhere/libtensorflow.so' }), /^TENSORFLOW_LIBRARY_NOT_FOUND[^]*\/nowhere\/libtensorflow\.so \(LIBTENSORFLOW\)[^]*npm run setup/)
  t.match(await run({ LIBTENSORFLOW: path }), /^TENSORFLOW_LIBRARY_UNUSABLE .*program\.mjs can not be used: .*invalid ELF header/)
})

t.test('opened off the event loop before, it is there at once', async t => {
  const path = join(t.testdir(), 'program.mjs')
  await writeFile(path, `import { loadLibrary, preloadLibrary } from '${new URL('../../src/tensorflow/index.ts', import.meta.url).href}'
    await preloadLibrary({ LIBTENSORFLOW: '/nowhere/libtensorflow.so' })
    let rounds = 0
    const counting = setInterval(() => { rounds++ }, 1)
    await preloadLibrary()
    clearInterval(counting)
    console.log(rounds > 3, loadLibrary().version)`)
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, path], { cwd: fileURLToPath(new URL('../..', import.meta.url)) })
  t.match(stdout, /^true 2\.\d+\.\d+$/m, 'the event loop went round meanwhile, and a library that is not there is no error yet')
})

t.test('training uses oneDNN unless the environment says no, and does not tell the programs it starts', { skip: process.arch !== 'x64' && 'oneDNN is asked for on x64 alone' }, async t => {
  const opened = async (module: string, given: Record<string, string> = {}): Promise<{ out: string, isOn: boolean }> => {
    const { TF_ENABLE_ONEDNN_OPTS: _, ...env } = process.env
    const at = (path: string): string => new URL(`../../src/${path}`, import.meta.url).href
    const program = `await import('${at(module)}'); (await import('${at('tensorflow/index.ts')}')).loadLibrary(); console.log('set to', process.env.TF_ENABLE_ONEDNN_OPTS)`
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [...process.execArgv, '--input-type=module', '-e', program], { cwd: fileURLToPath(new URL('../..', import.meta.url)), env: { ...env, ...given } })
    return { out: stdout.trim(), isOn: stderr.includes('oneDNN custom operations are on') }
  }
  const [training, refused] = await Promise.all([opened('training/tf.ts'), opened('training/tf.ts', { TF_ENABLE_ONEDNN_OPTS: '0' })])
  t.strictSame(training, { out: 'set to undefined', isOn: true })
  t.strictSame(refused, { out: 'set to 0', isOn: false })
})

t.test('opens once and tells its version', async t => {
  const library = loadLibrary()
  t.match(library.version, /^2\.\d+\.\d+$/)
  t.equal(loadLibrary(), library)
})

t.test('turns options into a ConfigProto', async t => {
  const read = (bytes: Uint8Array): unknown => JSON.parse(JSON.stringify(fromBinary(ConfigProtoSchema, bytes), (key, value: unknown) => key === '$typeName' ? undefined : value))
  t.match(read(configProto({ intraOpThreads: 2, xla: true, gpuMemoryLimitMib: 512 })), {
    intraOpParallelismThreads: 2,
    usePerSessionThreads: true,
    allowSoftPlacement: true,
    gpuOptions: { allowGrowth: false, experimental: { virtualDevices: [{ memoryLimitMb: [512] }] } },
    graphOptions: { optimizerOptions: { globalJitLevel: 1 } }
  })
  t.match(read(configProto({})), { usePerSessionThreads: false, gpuOptions: { allowGrowth: true }, graphOptions: { optimizerOptions: { globalJitLevel: 0 } } })
  t.match(read(configProto({ trustsShapes: true })), { graphOptions: { rewriteOptions: { remapping: 3 } } })
  t.match(read(configProto({ hasLargeConstants: true })), { graphOptions: { rewriteOptions: { memoryOptimization: 1, metaOptimizerIterations: 1 } } })
})
