import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { freeReservation } from '../../src/batching/admission.ts'
import { QueueFullError } from '../../src/errors.ts'
import { until } from '../support/registry.ts'
import { fakeModels, fakeSignature, newServer } from '../support/server.ts'
import { listen } from '../support/sockets.ts'

const signatures = fakeSignature({ x: ['float32', [-1]] }, { y: ['float32', [-1]] })
const full = (): never => { throw Object.assign(new QueueFullError('fake', 256), { retryAfterSeconds: 7 }) }

function fullModels (): ReturnType<typeof fakeModels> {
  return fakeModels({ signatures, reserve: full, admit: full, run: async () => await Promise.reject(new Error('Expected no run')) })
}

/** Sends a request's headers, and nothing of the body that they promise. @returns what comes back first */
async function sendHeaders (t: Test, port: number, path: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => { socket.destroy() })
  socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n`)
  const [reply] = await once(socket, 'data') as [Buffer]
  return reply.toString()
}

for (const path of ['/predict/image?model=fake', '/predict/text?model=fake&version=1', '/v1/models/fake:predict', '/v1/models/fake/versions/1:predict']) {
  t.test(`${path} is refused before its body is there if too many wait`, async t => {
    const models = fullModels()
    const { app } = await newServer(t, models)
    const reply = await sendHeaders(t, await listen(app), path)
    t.match(reply, /^HTTP\/1.1 503 /)
    t.match(reply, /retry-after: 7/i)
    t.match(reply, /content-type: application\/json; charset=utf-8/i)
    t.match(reply, /server-timing: total;dur=/i)
    const [, id] = /x-request-id: (\S+)/i.exec(reply) ?? []
    t.strictSame(JSON.parse(reply.slice(reply.indexOf('\r\n\r\n'))), { error: 'Model "fake" already has 256 requests waiting', code: 'SERVE_QUEUE_FULL', requestId: id })
    t.strictSame([models.found, models.acquired], [1, 0])
  })
}

t.test('a connection on which a request was refused early takes the next one', async t => {
  let isFull = true
  const models = fakeModels({
    signatures,
    reserve: () => isFull ? full() : freeReservation(),
    run: async () => await Promise.resolve({ outputs: { y: { dtype: 'float32', shape: [1], data: Float32Array.of(7) } }, queueMs: 0, inferMs: 0 })
  })
  const { app } = await newServer(t, models)
  const socket = connect(await listen(app), '127.0.0.1')
  t.teardown(() => { socket.destroy() })
  const body = JSON.stringify({ instances: [1] }).padEnd(300_000)
  const send = async (): Promise<string> => {
    socket.write(`POST /v1/models/fake:predict HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    const [reply] = await once(socket, 'data') as [Buffer]
    return reply.toString()
  }
  t.match(await send(), /^HTTP\/1.1 503 /)
  isFull = false
  t.match(await send(), /^HTTP\/1.1 200 /)
})

t.test('the place kept for a request is given up when it is over, also if its body is no good or never comes', async t => {
  let given = 0
  const models = fakeModels({ signatures, reserve: () => ({ giveUp: () => { given++ } }), run: async () => await Promise.reject(new Error('Expected no run')) })
  const { app } = await newServer(t, models)
  const port = await listen(app)
  const reply = await fetch(`http://127.0.0.1:${port}/v1/models/fake:predict`, { method: 'POST', body: '{"inst' })
  t.equal(reply.status, 400)
  await reply.arrayBuffer()
  await until('the first is over', () => given === 1)
  const socket = connect(port, '127.0.0.1')
  socket.write('POST /v1/models/fake:predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{')
  await until('its headers are there', () => models.found === 2)
  t.equal(given, 1)
  socket.destroy()
  await until('the second is over', () => given === 2)
})

t.test('what is wrong with a request otherwise is said as it is', async t => {
  const { app } = await newServer(t, fullModels())
  const code = async (url: string): Promise<string | undefined> => (JSON.parse((await app.inject({ method: 'POST', url, payload: '{}', headers: { 'content-type': 'application/json' } })).body) as { code?: string }).code
  t.equal(await code('/predict/text?model=fake&version=newest'), 'SERVE_BAD_REQUEST')
  t.equal(await code('/predict/text?model=fake&timeout=soon'), 'SERVE_BAD_REQUEST')
  t.equal(await code('/predict/text?model=fake&model=other'), 'SERVE_BAD_REQUEST')
})
