import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { until } from './support/registry.ts'
import { writeHalfPlusTwo } from './support/saved-models.ts'
import { openConnection } from './support/sockets.ts'

/** `npm test` compiles it. Read from src/ as the tests are, each start would take 20 s of compiling. */
const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const notCompiled = existsSync(MAIN) ? false : 'dist/ is not there: npm run build'

interface Program {
  readonly child: ChildProcess
  readonly output: () => string
  /** Its exit code. */
  readonly ended: Promise<number | null>
}

/** The server as a process of its own. */
function start (t: Test, env: Record<string, string>): Program {
  const child = spawn(process.execPath, [MAIN], { env: { ...process.env, HOST: '127.0.0.1', PORT: '0', ...env } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  t.teardown(() => { child.kill('SIGKILL') })
  return { child, output: () => output, ended }
}

/** The port that its log names. */
async function portOf ({ output }: Program): Promise<number> {
  const listening = /listening on http:\/\/127\.0\.0\.1:(\d+)/
  await until('the server listens', () => listening.test(output()))
  return Number(listening.exec(output())![1])
}

async function statusOf (port: number, path: string): Promise<number> {
  const reply = await fetch(`http://127.0.0.1:${port}${path}`)
  await reply.arrayBuffer()
  return reply.status
}

/** A request whose last byte is still to come. */
async function beginRequest (t: Test, port: number): Promise<{ finish: () => void, untilClosed: () => Promise<string> }> {
  const { socket, untilClosed } = await openConnection(t, port)
  socket.write('POST /v1/models/half:predict HTTP/1.1\r\nhost: a\r\ncontent-length: 14\r\n\r\n{"inputs":[1]')
  await statusOf(port, '/health/live') // by then the other one has been read too
  return { finish: () => { socket.write('}') }, untilClosed }
}

t.test('a bad setting ends the process with code 2 and is named', { skip: notCompiled }, async t => {
  const program = start(t, { PORT: 'eighty' })
  t.equal(await program.ended, 2)
  t.match(program.output(), /^tensorport: Configuration: env\/PORT must be integer/m)
  const policy = start(t, { VERSION_POLICY: 'newest' })
  t.equal(await policy.ended, 2)
  t.match(policy.output(), /^tensorport: .*VERSION_POLICY/m)
})

t.test('a port in use ends the process with code 1 and is named', { skip: notCompiled }, async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => { other.close() })
  const { port } = other.address() as AddressInfo
  const program = start(t, { PORT: String(port) })
  t.equal(await program.ended, 1)
  t.match(program.output(), new RegExp(`^tensorport: Port ${port} of 127\\.0\\.0\\.1 is in use.*set PORT`, 'm'))
})

t.test('without libtensorflow the process ends with code 1 and says where it looked', { skip: notCompiled }, async t => {
  const program = start(t, { LIBTENSORFLOW: '/nowhere/libtensorflow.so' })
  t.equal(await program.ended, 1)
  t.match(program.output(), /^tensorport: libtensorflow.*\/nowhere\/libtensorflow\.so/ms)
})

t.test('the server serves what lies in MODELS_DIR, and finishes what is in flight when it is told to end', { skip: notCompiled }, async t => {
  const directory = t.testdir()
  await writeHalfPlusTwo(join(directory, 'half', '1'))
  const program = start(t, { MODELS_DIR: directory })
  const port = await portOf(program)
  t.equal(await statusOf(port, '/health/live'), 200)
  await until('it is ready', async () => await statusOf(port, '/health/ready') === 200)

  const request = await beginRequest(t, port)
  program.child.kill('SIGTERM')
  await until('it closes', () => program.output().includes('"signal":"SIGTERM"'))
  request.finish()
  const reply = await request.untilClosed()
  t.match(reply, /^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n[^]*\{"outputs":\[2\.5\]\}$/i)
  t.equal(await program.ended, 0)
})

t.test('a request that does not end is waited for only as long as SHUTDOWN_TIMEOUT_MS says', { skip: notCompiled }, async t => {
  const program = start(t, { MODELS_DIR: t.testdir(), SHUTDOWN_TIMEOUT_MS: '300' })
  const port = await portOf(program)
  t.equal(await statusOf(port, '/health/ready'), 503, 'an empty folder is never ready')
  await beginRequest(t, port)
  program.child.kill('SIGINT')
  t.equal(await program.ended, 0)
  t.match(program.output(), /SHUTDOWN_TIMEOUT_MS is over/)
})

t.test('a second signal ends the process at once', { skip: notCompiled }, async t => {
  const program = start(t, { MODELS_DIR: t.testdir() })
  const port = await portOf(program)
  await beginRequest(t, port)
  program.child.kill('SIGTERM')
  await until('it closes', () => program.output().includes('"signal":"SIGTERM"'))
  program.child.kill('SIGTERM')
  t.equal(await program.ended, 1)
})
