import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { beginRequest, notCompiled, portOf, start, statusOf, type Program } from '../support/program.ts'
import { until } from '../support/registry.ts'
import { writeHalfPlusTwo } from '../support/saved-models.ts'

/** A reply over a connection of its own, so that each request may go to another worker. */
async function ask (port: number, path: string, body?: string): Promise<{ status: number, text: string }> {
  const sent = request({ host: '127.0.0.1', port, path, agent: false, method: body === undefined ? 'GET' : 'POST' }).end(body)
  const [reply] = await once(sent, 'response') as [IncomingMessage]
  let text = ''
  for await (const chunk of reply.setEncoding('utf8')) text += chunk as string
  return { status: reply.statusCode!, text }
}

/** Workers that listen, as the log has it. */
function workersInLog ({ output }: Program): string[] {
  return [...new Set([...output().matchAll(/"worker":(\d+),"[^\n]*listening/g)].map(([, worker]) => worker!))].sort()
}

/** Workers whose model is loaded, by the figures of all. */
async function available (port: number): Promise<number> {
  const { text } = await ask(port, '/metrics')
  return Number(/^tensorport_versions\{model="half",state="available"\} (\d+)$/m.exec(text)?.[1] ?? 0)
}

async function startTwo (t: Test, env: Record<string, string> = {}): Promise<{ program: Program, port: number }> {
  const directory = t.testdir()
  await writeHalfPlusTwo(join(directory, 'half', '1'))
  const program = start(t, { WORKERS: '2', MODELS_DIR: directory, MODELS_POLL_MS: '100', ...env })
  const port = await portOf(program)
  await until('both have loaded the model', async () => await available(port) === 2)
  return { program, port }
}

async function predict (port: number): Promise<void> {
  const { status, text } = await ask(port, '/v1/models/half:predict', '{"inputs":[1]}')
  if (status !== 200) throw new Error(`Expected 200 but received ${status}: ${text}`)
}

/** Process ids of the workers, by the kernel. */
async function workersOf ({ child }: Program): Promise<number[]> {
  return (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).trim().split(' ').map(Number)
}

t.test('two workers answer on one port, and /metrics sums what both did', { skip: notCompiled }, async t => {
  const { program, port } = await startTwo(t)
  for (let sent = 0; sent < 8; sent++) await predict(port)
  t.strictSame(workersInLog(program), ['1', '2'])
  for (let asked = 0; asked < 2; asked++) {
    const { text } = await ask(port, '/metrics')
    t.match(text, /^tensorport_rows_total\{model="half"\} 8$/m, 'whichever is asked')
  }
  program.child.kill('SIGTERM')
  t.equal(await program.ended, 0)
})

t.test('a worker that is killed is replaced, and the other goes on', { skip: notCompiled || (process.platform !== 'linux' && 'there is no /proc') }, async t => {
  const { program, port } = await startTwo(t)
  const [victim] = await workersOf(program)
  process.kill(victim!, 'SIGKILL')
  await until('its end is told', () => program.output().includes('a worker ended unexpectedly'))
  await until('another has loaded the model', async () => {
    await predict(port) // whoever takes the place gets no request before
    return workersInLog(program).length === 3
  })
  await until('both are asked for figures', async () => await available(port) === 2)
  const workers = await workersOf(program)
  t.equal(workers.length, 2)
  t.notOk(workers.includes(victim!))
  program.child.kill('SIGTERM')
  t.equal(await program.ended, 0)
})

t.test('each worker sees one of several GPUs, and so does who takes its place', { skip: notCompiled || (process.platform !== 'linux' && 'there is no /proc') }, async t => {
  const { program, port } = await startTwo(t, { CUDA_VISIBLE_DEVICES: '7,5' })
  const gpuOf = async (pid: number): Promise<string> => /(?:^|\0)CUDA_VISIBLE_DEVICES=([^\0]*)/.exec(await readFile(`/proc/${pid}/environ`, 'utf8'))![1]!
  const gpus = async (): Promise<string[]> => (await Promise.all((await workersOf(program)).map(gpuOf))).sort()
  t.strictSame(await gpus(), ['5', '7'])
  process.kill((await workersOf(program))[0]!, 'SIGKILL')
  await until('its end is told', () => program.output().includes('a worker ended unexpectedly'))
  await until('another has loaded the model', async () => await available(port) === 2)
  t.strictSame(await gpus(), ['5', '7'])
  t.match(program.output(), /"gpus":2,"workers":2,"msg":"each worker has one of the GPUs"/)
  program.child.kill('SIGTERM')
  t.equal(await program.ended, 0)
})

t.test('SIGTERM lets every worker finish what is in flight, also where all processes get it', { skip: notCompiled || (process.platform !== 'linux' && 'there is no /proc') }, async t => {
  const { program, port } = await startTwo(t)
  const requests = [await beginRequest(t, port), await beginRequest(t, port)]
  for (const pid of [...await workersOf(program), program.child.pid!]) process.kill(pid, 'SIGTERM')
  await until('it closes', () => program.output().includes('the workers finish'))
  for (const { finish } of requests) finish()
  for (const { untilClosed } of requests) t.match(await untilClosed(), /^HTTP\/1\.1 200 OK/)
  t.equal(await program.ended, 0)
})

t.test('a second signal ends all of them at once', { skip: notCompiled }, async t => {
  const { program, port } = await startTwo(t)
  await beginRequest(t, port)
  program.child.kill('SIGTERM')
  await until('it closes', () => program.output().includes('the workers finish'))
  program.child.kill('SIGTERM')
  t.equal(await program.ended, 1)
  await t.rejects(statusOf(port, '/health/live'))
})

t.test('workers end when the process that watches over them is killed', { skip: notCompiled }, async t => {
  const { program, port } = await startTwo(t)
  program.child.kill('SIGKILL')
  await program.ended // the workers write to the same pipes: these close with the last of them
  await t.rejects(statusOf(port, '/health/live'))
})

t.test('what no worker can do ends the server with its exit code', { skip: notCompiled }, async t => {
  const settings = start(t, { WORKERS: '2', VERSION_POLICY: 'newest' })
  t.equal(await settings.ended, 2)
  t.equal(await start(t, { WORKERS: '0' }).ended, 2)

  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => { other.close() })
  const program = start(t, { WORKERS: '2', PORT: String((other.address() as AddressInfo).port) })
  t.equal(await program.ended, 1)
  t.match(program.output(), /^tensorport: Port \d+ of 127\.0\.0\.1 is in use/m)

  const library = start(t, { WORKERS: '2', LIBTENSORFLOW: '/nowhere/libtensorflow.so' })
  t.equal(await library.ended, 1)
  t.match(library.output(), /^tensorport: libtensorflow.*\/nowhere\/libtensorflow\.so/ms)
})
