import { spawn, execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'

const root = fileURLToPath(new URL('..', import.meta.url))
const missing = ['dist/main.js', 'models/imagenet', 'models/sentiment'].filter(path => !existsSync(root + path))

/** Commands that the README asks a reader to run against a server: those in its ```sh blocks. */
const commands = [...readFileSync(`${root}README.md`, 'utf8').matchAll(/```sh\n([^`]*)```/g)]
  .flatMap(([, block]) => block!.trim().split('\n'))

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => { server.close(resolve) })
  return port
}

async function untilReady (origin: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const isReady = await fetch(`${origin}/health/ready`).then(reply => reply.ok, () => false)
    if (isReady) return
    await delay(100)
  }
  throw new Error('The server is not ready after a minute')
}

t.test('what the README tells a newcomer to run', { skip: missing.length > 0 ? `not set up: ${missing.join(', ')}` : false }, async t => {
  const port = await freePort()
  const server = spawn(process.execPath, ['dist/main.js'], { cwd: root, env: { ...process.env, HOST: '127.0.0.1', PORT: String(port), LOG_LEVEL: 'silent', UV_THREADPOOL_SIZE: '10' }, stdio: 'ignore' })
  const ended = new Promise<number | null>(resolve => { server.once('exit', resolve) })
  t.teardown(() => { server.kill('SIGKILL') })
  await untilReady(`http://127.0.0.1:${port}`)

  const answers = new Map<string, unknown>()
  for (const command of commands) {
    const { stdout } = await promisify(execFile)('bash', ['-c', command.replace('curl ', 'curl -sS --fail ').replaceAll('localhost:8501', `127.0.0.1:${port}`)], { cwd: root })
    answers.set(command, JSON.parse(stdout))
    t.ok(stdout.length > 2, command)
  }
  const answerTo = (part: string): unknown => [...answers].find(([command]) => command.includes(part))?.[1]
  t.match(answerTo('topK=3'), { predicted_class: 967, label: 'espresso', model: { name: 'imagenet' } }, 'the photo shows an espresso')
  t.match(answerTo('I loved every minute'), { label: 'positive' }, 'the first sentence is positive')
  t.match(answerTo('waste of time'), { label: 'negative' }, 'the second is negative')

  server.kill('SIGTERM')
  t.equal(await ended, 0, 'SIGTERM ends it with 0')
})
