import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { addJsonBody } from '../../src/http/json-body.ts'

/** Gives back what was read, and the rounds of the event loop meanwhile. */
async function read (t: Test, body: string): Promise<{ statusCode: number, reply: { value?: unknown, message?: string } }> {
  const app = Fastify({ bodyLimit: 2 ** 26 })
  t.teardown(async () => { await app.close() })
  app.removeAllContentTypeParsers()
  addJsonBody(app)
  app.post('/', async ({ body }) => ({ value: body }))
  const { statusCode, payload } = await app.inject({ method: 'POST', url: '/', payload: body, headers: { 'content-type': 'application/json' } })
  return { statusCode, reply: JSON.parse(payload) as { value?: unknown, message?: string } }
}

/** More than is parsed at once, in front of what matters. */
const LONG = `"${'ä'.repeat(50_000)}"`

t.test('a long body is the same value as JavaScript’s parser makes of it', async t => {
  for (const value of ['[1,-2.5e3,true,false,null,"\\u00fc \\"x\\" 😀",{"a":[],"b":{}}]', '{"a":1,"a":2}', '"text"', '9007199254740993']) {
    const body = `{"long":${LONG},"value":${value}}`
    t.strictSame((await read(t, body)).reply.value, JSON.parse(body))
  }
})

t.test('a long body that is no JSON is refused as a short one is', async t => {
  for (const value of ['NaN', '-Infinity', '[1,2', '{"a":}', '"open', '01', 'undefined', '[1]]']) {
    for (const body of [`{"value":${value}}`, `{"long":${LONG},"value":${value}}`]) {
      const { statusCode, reply } = await read(t, body)
      t.equal(statusCode, 400, `${body.length} characters that end in ${value}`)
      t.match(reply.message, /^The body is not JSON: /)
    }
  }
})

t.test('a long body that is not UTF-8 is refused', async t => {
  const { statusCode, reply } = await read(t, Buffer.concat([Buffer.alloc(70_000, ' '), Buffer.from([0x22, 0xff, 0x22])]) as unknown as string)
  t.equal(statusCode, 400)
  t.match(reply.message, 'The body is not UTF-8')
})

t.test('others get their turn while a long body is read', async t => {
  let rounds = 0
  let isOver = false
  setImmediate(function count () { rounds++; if (!isOver) setImmediate(count) })
  const idle = read(t, '1').then(() => rounds)
  const few = await idle
  rounds = 0
  await read(t, `[${'0.6270739436149597,'.repeat(2 ** 20)}1]`)
  isOver = true
  t.ok(rounds > few + 10, `${rounds} rounds of the event loop, ${few} for a short body`)
})
