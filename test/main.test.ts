import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { beginRequest, notCompiled, portOf, start, statusOf } from './support/program.ts'
import { until } from './support/registry.ts'
import { writeHalfPlusTwo } from './support/saved-models.ts'

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
