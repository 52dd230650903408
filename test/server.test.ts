import t from 'tap'
import { InferenceError } from '../src/errors.ts'
import { fakeModels, fakeSignature, newServer, noModels } from './support/server.ts'

const signatures = fakeSignature({ x: ['float32', [-1]] }, { y: ['float32', [-1]] })
const doubled = fakeModels({
  signatures,
  run: async (_signature, { x }) => ({ outputs: { y: { dtype: 'float32', shape: x!.shape, data: (x!.data as Float32Array).map(value => 2 * value) } }, queueMs: 1.5, inferMs: 2.25 })
})

t.test('the root tells what this is and where the rest lies', async t => {
  const { app } = await newServer(t, noModels(true))
  const reply = await app.inject('/')
  t.equal(reply.statusCode, 200)
  const { name, version, links } = reply.json<{ name: string, version: string, links: Record<string, string> }>()
  t.equal(name, 'tensorport')
  t.match(version, /^\d+\.\d+\.\d+/)
  for (const link of Object.values(links)) t.not((await app.inject(link)).statusCode, 404, link)
})

t.test('every reply carries a request id and its timing', async t => {
  const { app } = await newServer(t, doubled)
  for (const path of ['/', '/health/live', '/metrics', '/nowhere', '/%zz', `/v1/models/${'x'.repeat(300)}`]) {
    const { headers } = await app.inject(path)
    t.match(headers['x-request-id'], /^[\w.-]{1,128}$/, path)
    t.match(headers['server-timing'], /^total;dur=\d+\.\d\d$/, path)
  }
})

t.test('a prediction’s timing tells its phases', async t => {
  const { app } = await newServer(t, doubled)
  const { headers } = await app.inject({ method: 'POST', url: '/v1/models/fake:predict', payload: { inputs: [1, 2] } })
  t.match(headers['server-timing'], /^decode;dur=\d+\.\d\d, queue;dur=1\.50, infer;dur=2\.25, encode;dur=\d+\.\d\d, total;dur=\d+\.\d\d$/)
})

t.test('a client’s sane request id is kept, any other replaced', async t => {
  const { app } = await newServer(t, doubled)
  const idFor = async (id: string): Promise<unknown> => (await app.inject({ url: '/', headers: { 'x-request-id': id } })).headers['x-request-id']
  t.equal(await idFor('abc-1.2_3'), 'abc-1.2_3')
  for (const id of ['a b', 'x'.repeat(129), '', 'a"b', 'ä', '<script>']) t.not(await idFor(id), id)
})

t.test('unknown paths are 404 in the one shape of all errors', async t => {
  const { app } = await newServer(t, doubled)
  for (const url of ['/nowhere', '/v1', '/v1/models/a/b', '/predict/image/x', '/v1/models/../../etc/passwd', '/v1/models/%2e%2e%2fetc/x', `/${'y'.repeat(5000)}`]) {
    const reply = await app.inject({ url, method: 'GET' })
    t.equal(reply.statusCode, 404, url)
    const body = reply.json<{ error: string }>()
    t.strictSame(body, { error: body.error, code: 'SERVE_ROUTE_NOT_FOUND', requestId: reply.headers['x-request-id'] })
    t.ok(body.error.length < 300)
  }
})

t.test('a path that is no percent-encoded UTF-8 is 400', async t => {
  const { app } = await newServer(t, doubled)
  const reply = await app.inject('/v1/models/%zz')
  t.equal(reply.statusCode, 400)
  t.equal(reply.json<{ code: string }>().code, 'SERVE_BAD_REQUEST')
})

t.test('a known path under another method is 405 and says which methods it has', async t => {
  const { app } = await newServer(t, doubled)
  const cases = [
    ['GET', '/predict/image', 'POST'],
    ['PUT', '/predict/text', 'POST'],
    ['POST', '/health/live', 'GET, HEAD'],
    ['DELETE', '/v1/models', 'GET, HEAD'],
    ['DELETE', '/v1/models/a/versions/1', 'GET, HEAD, POST'],
    ['OPTIONS', '/', 'GET, HEAD'],
    ['POST', '/v1/models/fake', 'GET, HEAD'],
    ['GET', '/v1/models/fake:predict', 'POST']
  ] as const
  for (const [method, url, allow] of cases) {
    const reply = await app.inject({ method, url, ...(method !== 'GET' && method !== 'OPTIONS' && { payload: '{' }) })
    t.equal(reply.statusCode, 405, `${method} ${url}`)
    t.equal(reply.headers.allow, allow, `${method} ${url}`)
    t.equal(reply.json<{ code: string }>().code, 'SERVE_METHOD_NOT_ALLOWED')
  }
})

t.test('each request is one line in the log, without its body and its query', async t => {
  const { app, log } = await newServer(t, doubled)
  const reply = await app.inject({ method: 'POST', url: '/v1/models/fake:predict?secret=1', payload: { inputs: [1, 2, 3] } })
  await app.inject('/nowhere')
  t.equal(log.length, 2)
  const { time, ms, ...line } = log[0]!
  t.type(time, 'number')
  t.type(ms, 'number')
  t.strictSame(line, {
    level: 30, requestId: reply.headers['x-request-id'], method: 'POST', path: '/v1/models/fake:predict', status: 200, model: 'fake', version: 1, rows: 3, bytes: 18
  })
  t.match(log[1], { level: 30, method: 'GET', path: '/nowhere', status: 404, code: 'SERVE_ROUTE_NOT_FOUND' })
})

t.test('a fault of the server is logged with its cause and stack, and told without', async t => {
  const { app, log } = await newServer(t, fakeModels({ signatures, run: async () => { throw new TypeError('secret place /etc/x') } }))
  const reply = await app.inject({ method: 'POST', url: '/v1/models/fake:predict', payload: { inputs: [1] } })
  t.equal(reply.statusCode, 500)
  t.notMatch(reply.body, /secret|stack|TypeError/)
  t.match(reply.json(), { code: 'SERVE_INTERNAL' })
  t.equal(log.length, 1)
  t.match(log[0], { level: 50, status: 500, code: 'SERVE_INTERNAL', err: { stack: /secret place/ } })
})

t.test('a model that fails is named in the reply', async t => {
  const { app, log } = await newServer(t, fakeModels({ signatures, run: async () => { throw new InferenceError('fake', 'out of memory') } }))
  const reply = await app.inject({ method: 'POST', url: '/v1/models/fake:predict', payload: { inputs: [1] } })
  t.match(reply.json(), { error: 'Model "fake" failed: out of memory', code: 'SERVE_INFERENCE_FAILED' })
  t.match(log[0], { level: 50, model: 'fake', version: 1 })
})

t.test('a model is released whether its run goes well or not', async t => {
  const failing = fakeModels({ signatures, run: async () => { throw new Error('no') } })
  const { app } = await newServer(t, failing)
  for (const payload of ['{"inputs":[1]}', '{', '{"inputs":["a"]}']) await app.inject({ method: 'POST', url: '/v1/models/fake:predict', payload })
  t.equal(failing.acquired, 3)
  t.equal(failing.released, 3)
})

t.test('a body that says it is too large is refused before it is read', async t => {
  const { app } = await newServer(t, doubled, { env: { BODY_LIMIT_BYTES: '1024' } })
  for (const url of ['/predict/image', '/predict/text', '/v1/models/fake:predict', '/nowhere']) {
    const reply = await app.inject({ method: 'POST', url, payload: 'x'.repeat(1025), headers: { 'content-type': 'application/json' } })
    t.equal(reply.statusCode, url === '/nowhere' ? 404 : 413, url)
    if (url !== '/nowhere') t.match(reply.json(), { code: 'SERVE_BODY_TOO_LARGE', error: /1024 bytes/ })
  }
})
