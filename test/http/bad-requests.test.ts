import { join } from 'node:path'
import t from 'tap'
import { ownMemoryMib } from '../support/own-memory.ts'
import { writeColourClassifier, writeHalfPlusTwo } from '../support/saved-models.ts'
import { serveFolder } from '../support/server.ts'
import { listen, openConnection } from '../support/sockets.ts'

interface Bad { path: string, body?: string | Uint8Array<ArrayBuffer>, type?: string, method?: string }

const json = 'application/json'
const bytes = (length: number, value = 0): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(value)

/** One of each kind of mistake; `round` makes each a little different, so that nothing learnt from one serves the next. */
function badRequests (round: number): Bad[] {
  const name = `nobody-${round}`
  return [
    { path: '/v1/models/half:predict', body: `{"inputs":[[${round}]]}` },
    { path: '/v1/models/half:predict', body: `{"inputs":["${round}"]}` },
    { path: '/v1/models/half:predict', body: `{"instances":[1,[${round}]]}` },
    { path: '/v1/models/half:predict', body: `{"inputs":[${round}` },
    { path: '/v1/models/half:predict', body: '['.repeat(50_000 + round) },
    { path: '/v1/models/half:predict', body: `{"signature_name":"s${round}","inputs":[1]}` },
    { path: `/v1/models/${name}:predict`, body: '{"inputs":[1]}' },
    { path: `/v1/models/..%2f${name}:predict`, body: '{"inputs":[1]}' },
    { path: `/v1/models/half/versions/${round + 5}:predict`, body: '{"inputs":[1]}' },
    { path: `/v1/models/${'x'.repeat(1000 + round)}`, method: 'GET' },
    { path: `/${name}`, body: '{}', type: json },
    { path: '/predict/image', body: `{"image":"${round}!"}`, type: json },
    { path: '/predict/image', body: `{"__proto__":{"image":"${round}"}}`, type: json },
    { path: '/predict/image', body: bytes(1000 + round, round), type: 'image/jpeg' },
    { path: '/predict/image', body: bytes(0), type: 'image/png' },
    { path: '/predict/image', body: bytes(70_000 + round), type: 'image/png' },
    { path: '/predict/image', body: `--b\r\ncontent-disposition: form-data; name="a"; filename="${name}"\r\n\r\nx`, type: 'multipart/form-data; boundary=b' },
    { path: '/predict/image', body: `--c\r\n${round}`, type: 'multipart/form-data; boundary=b' },
    { path: '/predict/image', body: 'x', type: `application/x-${round}` },
    { path: `/predict/image?topK=-${round}`, body: 'x', type: 'image/png' },
    { path: '/predict/text', body: `{"text":${round}}`, type: json },
    { path: `/predict/text?model=${name}`, body: '{"text":"a"}', type: json },
    { path: '/predict/text?model=half', body: '{"text":"a"}', type: json },
    { path: '/health/live', body: '{}', type: json },
    { path: '/%E0%A4%A', method: 'GET' }
  ]
}

t.test('500 bad requests are all refused, and leave memory and the server as they were', async t => {
  const directory = t.testdir()
  await writeHalfPlusTwo(join(directory, 'half', '1'))
  await writeColourClassifier(join(directory, 'colours', '1'))
  const { app, models } = await serveFolder(t, directory, { env: { BODY_LIMIT_BYTES: '60000' } })
  const port = await listen(app)

  const sendAll = async (round: number): Promise<Map<string, number>> => {
    const statuses = new Map<string, number>()
    await Promise.all(badRequests(round).map(async ({ path, body, type, method = 'POST' }, index) => {
      const reply = await fetch(`http://127.0.0.1:${port}${path}`, { method, ...(body !== undefined && { body }), headers: type === undefined ? {} : { 'content-type': type } })
      const { code, requestId } = await reply.json() as { code: string, requestId: string }
      statuses.set(`${index} ${code} ${requestId === reply.headers.get('x-request-id') ? '' : 'of another id'}`, reply.status)
    }))
    return statuses
  }
  for (let round = 0; round < 10; round++) await sendAll(round)
  const before = await ownMemoryMib()
  for (let round = 10; round < 30; round++) {
    const statuses = await sendAll(round)
    const odd = [...statuses].filter(([key, status]) => status < 400 || status > 499 || !key.includes(' SERVE_') || key.endsWith('id'))
    if (odd.length > 0) t.strictSame(odd, [])
  }
  const grown = await ownMemoryMib() - before
  t.ok(grown < 20, `memory grew by ${grown.toFixed(1)} MiB; allowed are 20, what the allocator keeps of a busy moment`)

  const { socket, untilClosed } = await openConnection(t, port)
  socket.write('rubbish\r\n\r\n')
  t.match(await untilClosed(), /^HTTP\/1\.1 400 /)
  const good = await app.inject({ method: 'POST', url: '/v1/models/half:predict', payload: '{"inputs":[1]}' })
  t.equal(good.body, '{"outputs":[2.5]}')
  t.strictSame(models.list().flatMap(({ versions }) => versions.map(({ handles, inFlight, waiting }) => handles + inFlight + waiting)), [0, 0], 'no handle is left out')
})
