import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { until } from '../support/registry.ts'
import { newServer, noModels } from '../support/server.ts'
import { BODY, PREDICT, slowModel } from '../support/slow-model.ts'
import { jsonOf, listen, openConnection } from '../support/sockets.ts'

const LIVE = 'GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n'

t.test('a request that stops half way is answered with 408 and its connection closed', async t => {
  const { app, log } = await newServer(t, noModels(true), { env: { REQUEST_TIMEOUT_MS: '200' } })
  const port = await listen(app)
  for (const start of ['POST /predict/text HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"te', 'GET / HTTP/1.1\r\nhos']) {
    const { socket, untilClosed } = await openConnection(t, port)
    socket.write(start)
    const reply = await untilClosed()
    t.match(reply, /^HTTP\/1\.1 408 Request Timeout\r\n/)
    t.match(reply, /x-request-id: .+\r\nserver-timing: total/)
    t.match(jsonOf(reply), { code: 'SERVE_REQUEST_TIMEOUT', error: /0\.2 s/ })
  }
  await until('both are logged', () => log.filter(({ status }) => status === 408).length === 2)
  t.equal(log.filter(line => 'status' in line).length, 2, 'each once')
})

t.test('what is not HTTP, or has headers without end, is answered in the shape of all errors', async t => {
  const { app, log } = await newServer(t, noModels(true))
  const port = await listen(app)
  for (const [bytes, status, code] of [['rubbish\r\n\r\n', 400, 'SERVE_BAD_REQUEST'], [`GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431, 'SERVE_HEADERS_TOO_LARGE']] as const) {
    const { socket, untilClosed } = await openConnection(t, port)
    socket.write(bytes)
    const reply = await untilClosed()
    t.match(reply, new RegExp(`^HTTP/1\\.1 ${status} `))
    t.match(jsonOf(reply), { code, requestId: /[\w-]{36}/ })
  }
  t.strictSame(log.filter(line => 'status' in line).map(({ status }) => status), [400, 431])
  t.match((await app.inject('/metrics')).body, /tensorport_requests_total\{route="none",method="none",status="431"\} 1/)
})

t.test('a request without a Host header is a request', async t => {
  const { app } = await newServer(t, noModels(true))
  const { socket, untilReceived } = await openConnection(t, await listen(app))
  socket.write('GET /health/live HTTP/1.1\r\n\r\n')
  t.match(await untilReceived(/"status":"live"/), /^HTTP\/1\.1 200 OK\r\n/)
})

t.test('a client that hangs up takes its run out of the queue and counts as 499', async t => {
  const { models, signals, started, finish } = slowModel()
  t.teardown(finish)
  const { app, log } = await newServer(t, models)
  const { socket } = await openConnection(t, await listen(app))
  socket.write(PREDICT)
  await until('the run has begun', () => started() === 1)
  t.equal(signals[0]?.aborted, false, 'reading the body to its end is no hang-up')
  socket.destroy()
  await until('the run is told', () => signals[0]?.aborted === true)
  t.match(signals[0]?.reason, { code: 'SERVE_CLIENT_CLOSED' })
  await until('it is logged', () => log.some(({ status }) => status === 499))
  t.match(log.at(-1), { level: 30, status: 499, code: 'SERVE_CLIENT_CLOSED', model: 'fake' })
  t.match((await app.inject('/metrics')).body, /status="499"\} 1/)
})

t.test('a client that hangs up while it sends is no fault of the server', async t => {
  const { app, log } = await newServer(t, noModels(true))
  const port = await listen(app)
  for (const type of ['image/png', 'application/json', 'multipart/form-data; boundary=b']) {
    const { socket } = await openConnection(t, port)
    const start = type.startsWith('multi') ? '--b\r\ncontent-disposition: form-data; name="a"; filename="a"\r\n\r\nxxxx' : 'xxxx'
    socket.write(`POST /predict/image HTTP/1.1\r\nhost: a\r\ncontent-type: ${type}\r\ncontent-length: 1000\r\n\r\n${start}`)
    await sleep(50)
    socket.destroy()
  }
  await until('all are logged', () => log.filter(line => 'path' in line).length === 3)
  t.strictSame(log.filter(line => 'path' in line).map(({ level, status }) => ({ level, status })), Array.from({ length: 3 }, () => ({ level: 30, status: 499 })))
  t.equal((await app.inject('/health/live')).statusCode, 200)
})

t.test('a request that takes longer than allowed is answered with 504, its model released when the run is over', async t => {
  const { models, finish } = slowModel()
  const { app } = await newServer(t, models, { env: { REQUEST_TIMEOUT_MS: '100' } })
  const reply = await app.inject({ method: 'POST', url: '/v1/models/fake:predict', payload: BODY })
  t.equal(reply.statusCode, 504)
  t.match(reply.json(), { code: 'SERVE_DEADLINE_EXCEEDED', error: /100 ms/ })
  t.equal(models.released, 0)
  finish()
  await until('the model is released', () => models.released === 1)
})

t.test('a client that still sends when it is refused gets to read why, and may go on with the connection', async t => {
  const { app } = await newServer(t, noModels(true), { env: { BODY_LIMIT_BYTES: '10000' } })
  const port = await listen(app)
  const size = 4_000_000
  for (const head of [`content-length: ${size}\r\n\r\n`, 'transfer-encoding: chunked\r\n\r\n']) {
    const { socket, received, untilReceived } = await openConnection(t, port)
    socket.write(`POST /predict/image HTTP/1.1\r\nhost: a\r\ncontent-type: image/png\r\n${head}`)
    const body = Buffer.alloc(size)
    socket.write(head.startsWith('content') ? body : Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]))
    await untilReceived(/SERVE_BODY_TOO_LARGE/)
    socket.write(LIVE)
    await untilReceived(/"status":"live"/)
    t.match(received(), /^HTTP\/1\.1 413 /)
  }
})

t.test('a form that is too large is refused while it is sent, readably', async t => {
  const { app } = await newServer(t, noModels(true), { env: { BODY_LIMIT_BYTES: '10000' } })
  const { socket, untilReceived } = await openConnection(t, await listen(app))
  socket.write('POST /predict/image HTTP/1.1\r\nhost: a\r\ncontent-type: multipart/form-data; boundary=b\r\ntransfer-encoding: chunked\r\n\r\n')
  const part = Buffer.concat([Buffer.from('--b\r\ncontent-disposition: form-data; name="a"; filename="a"\r\n\r\n'), Buffer.alloc(1_000_000), Buffer.from('\r\n--b--\r\n')])
  socket.write(Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n0\r\n\r\n')]))
  await untilReceived(/SERVE_BODY_TOO_LARGE/)
  socket.write(LIVE)
  t.match(await untilReceived(/"status":"live"/), /^HTTP\/1\.1 413 /)
})

t.test('closing finishes what is in flight, ends unused connections and refuses new ones', async t => {
  const { models, started, finish } = slowModel()
  t.teardown(finish)
  const { app } = await newServer(t, models)
  const port = await listen(app)
  const [busy, kept, fresh] = await Promise.all([openConnection(t, port), openConnection(t, port), openConnection(t, port)])
  kept.socket.write(LIVE)
  await kept.untilReceived(/"status":"live"/)
  busy.socket.write(PREDICT)
  await until('the run has begun', () => started() === 1)

  const closing = app.close()
  await Promise.all([kept.untilClosed(), fresh.untilClosed()])
  await t.rejects(openConnection(t, port), { code: 'ECONNREFUSED' })
  finish()
  const reply = await busy.untilClosed()
  t.match(reply, /^HTTP\/1\.1 200 OK\r\n/)
  t.match(reply, /connection: close\r\n/i)
  t.match(reply, /\{"outputs":\[7\.0\]\}$/)
  await closing
})

t.test('while it closes the server is alive but not ready, for whoever is still connected', async t => {
  const { models, started, finish } = slowModel()
  t.teardown(finish)
  const { app } = await newServer(t, models)
  const port = await listen(app)
  const [busy, prober] = await Promise.all([openConnection(t, port), openConnection(t, port)])
  busy.socket.write(PREDICT)
  await until('the run has begun', () => started() === 1)
  prober.socket.write('GET /health/ready HTTP/1.1\r\nhost: a\r\nx-slow: ')
  await sleep(50)
  const closing = app.close()
  await sleep(50)
  prober.socket.write('1\r\n\r\n')
  const reply = await prober.untilClosed()
  t.match(reply, /^HTTP\/1\.1 503 /)
  t.match(reply, /connection: close\r\n/i)
  t.match(jsonOf(reply), { code: 'SERVE_SHUTTING_DOWN' })
  finish()
  await closing
})
