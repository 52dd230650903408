import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { serverEnvironment } from '../../scripts/start/server-process.mjs'

const MODULE = new URL('../../scripts/start/server-process.mjs', import.meta.url).href

/** Says `ready` and its thread pool's size; ends with 7 on SIGTERM, after writing what it got to `signals`. */
const PROGRAM = `
import { appendFileSync } from 'node:fs'
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => { appendFileSync(process.argv[2], signal + ' '); if (signal === 'SIGTERM') process.exit(7) })
const timer = setInterval(() => {}, 1000)
console.log('ready', process.pid, process.env.UV_THREADPOOL_SIZE)
`

async function start (t: Test) {
  const directory = t.testdir({
    'program.mjs': PROGRAM,
    'start.mjs': `
    const { runProgram, serverEnvironment } = await import(${JSON.stringify(MODULE)})
    process.exit(await runProgram(${JSON.stringify(join(t.testdirName, 'program.mjs'))}, [${JSON.stringify(join(t.testdirName, 'signals'))}], serverEnvironment(process.env, 4)))`
  })
  const parent = spawn(process.execPath, [join(directory, 'start.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(parent.stdout.setEncoding('utf8'), 'data') as [string]
  const [, pid = '', threads = ''] = /^ready (\d+) (\d+)/.exec(line) ?? []
  t.teardown(() => { for (const end of [() => parent.kill('SIGKILL'), () => process.kill(Number(pid), 'SIGKILL')]) try { end() } catch {} })
  return { parent, threads, signals: () => existsSync(join(directory, 'signals')) ? readFileSync(join(directory, 'signals'), 'utf8') : '' }
}

t.test('hands SIGTERM on and ends with the program’s own exit code', async t => {
  const { parent, threads, signals } = await start(t)
  parent.kill('SIGTERM')
  t.strictSame(await once(parent, 'exit'), [7, null])
  t.equal(signals(), 'SIGTERM ')
  t.equal(threads, '16')
})

t.test('a Ctrl-C that comes from the terminal and from npm is handed on once', async t => {
  const { parent, signals } = await start(t)
  parent.kill('SIGINT')
  await sleep(50)
  parent.kill('SIGINT')
  await sleep(1000)
  t.equal(signals(), 'SIGINT ')
  parent.kill('SIGINT')
  while (signals() === 'SIGINT ') await sleep(20)
  t.equal(signals(), 'SIGINT SIGINT ')
})

t.test('the program ends when what started it is killed', async t => {
  const { parent, signals } = await start(t)
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  while (signals() === '') await sleep(20)
  t.equal(signals(), 'SIGTERM ')
})

t.test('a program that crashes is told by its exit code', async t => {
  const directory = t.testdir({
    'start.mjs': `
    const { runProgram } = await import(${JSON.stringify(MODULE)})
    process.exit(await runProgram(${JSON.stringify(join(t.testdirName, 'program.mjs'))}, [], process.env))`,
    'program.mjs': "process.kill(process.pid, 'SIGKILL')"
  })
  const parent = spawn(process.execPath, [join(directory, 'start.mjs')], { stdio: 'ignore' })
  t.strictSame(await once(parent, 'exit'), [137, null])
})

t.test('the thread pool holds the runs and the decodes in flight', async t => {
  const size = (env: Record<string, string>, cores: number): unknown => serverEnvironment(env, cores)['UV_THREADPOOL_SIZE']
  t.equal(size({}, 1), '10')
  t.equal(size({}, 2), '12')
  t.equal(size({}, 16), '40')
  t.equal(size({ RUN_CONCURRENCY: '8', DECODE_CONCURRENCY: '12' }, 2), '26')
  t.equal(size({ UV_THREADPOOL_SIZE: '5' }, 16), '5')
  t.equal(size({}, 2000), '1024')
  t.equal(size({ WORKERS: '4' }, 32), '24', 'each of several processes has its share')
  t.equal(size({ WORKERS: 'many' }, 4), '16', 'what is no number is refused later')
})

t.test('what the environment says of TensorFlow stays', async t => {
  t.match(serverEnvironment({}, 2), { TF_CPP_MIN_LOG_LEVEL: '2', TF_FORCE_GPU_ALLOW_GROWTH: 'true' })
  t.match(serverEnvironment({ TF_CPP_MIN_LOG_LEVEL: '0', TF_FORCE_GPU_ALLOW_GROWTH: 'false' }, 2), { TF_CPP_MIN_LOG_LEVEL: '0', TF_FORCE_GPU_ALLOW_GROWTH: 'false' })
})
