import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { RunOptions } from '../../src/registry/model-version.ts'
import { fakeModels, fakeSignature, newServer } from '../support/server.ts'

const signatures = fakeSignature({ x: ['float32', [-1]] }, { y: ['float32', [-1]] })

interface Sent { status: number, body: { code?: string, error?: string }, given: RunOptions | undefined, tookMs: number }

/** Posts to a model that answers after `runMs`, and tells what its run was told. */
async function post (t: Test, { query = '', headers = {}, runMs = 0 }: { query?: string, headers?: Record<string, string>, runMs?: number }): Promise<Sent> {
  let given: RunOptions | undefined
  const models = fakeModels({
    signatures,
    run: async (_signature, _inputs, options) => {
      given = options
      await sleep(runMs)
      return { outputs: { y: { dtype: 'float32', shape: [1], data: Float32Array.of(7) } }, queueMs: 0, inferMs: 0 }
    }
  })
  const { app } = await newServer(t, models)
  const startedAt = performance.now()
  const { statusCode, body } = await app.inject({ method: 'POST', url: `/v1/models/fake:predict${query}`, headers, payload: '{"instances": [1]}' })
  return { status: statusCode, body: JSON.parse(body) as Sent['body'], given, tookMs: performance.now() - startedAt }
}

t.test('the run is told when the answer is worth nothing any more', async t => {
  const before = performance.now()
  const { status, given } = await post(t, { query: '?timeout=5000' })
  t.equal(status, 200)
  t.ok(given!.deadline! - before >= 5000 && given!.deadline! - performance.now() <= 5000)
})

t.test('a request that is not done within its timeout is answered with 504', async t => {
  const { status, body, tookMs } = await post(t, { query: '?timeout=50', runMs: 2000 })
  t.equal(status, 504)
  t.match(body, { code: 'SERVE_DEADLINE_EXCEEDED', error: /within its 50 ms/ })
  t.ok(tookMs < 1500)
})

t.test('the signal of a request that was answered serves the next one, nobody listening to it any more; one that aborted never does', async t => {
  const [first, second] = [await post(t, {}), await post(t, {})]
  t.equal(first.given?.signal, second.given?.signal)
  t.strictSame(getEventListeners(second.given!.signal!, 'abort'), [])
  const late = await post(t, { query: '?timeout=30', runMs: 1000 })
  t.ok(late.given!.signal!.aborted)
  for (const { status, given } of [await post(t, {}), await post(t, {})]) {
    t.equal(status, 200)
    t.ok(!given!.signal!.aborted && given!.signal !== late.given!.signal)
  }
})

t.test('a deadline may be a number of milliseconds or a date, and the earliest counts', async t => {
  for (const date of [String(Date.now() + 100), new Date(Date.now() + 100).toISOString()]) {
    const { status } = await post(t, { headers: { 'x-request-deadline': date }, query: '?timeout=60000', runMs: 2000 })
    t.equal(status, 504)
  }
})

t.test('a deadline that is over is refused without a run', async t => {
  const { status, body } = await post(t, { headers: { 'x-request-deadline': String(Date.now() - 1000) }, runMs: 2000 })
  t.match([status, body], [504, { code: 'SERVE_DEADLINE_EXCEEDED' }])
})

t.test('a request is as urgent as it says', async t => {
  t.equal((await post(t, {})).given?.priority, 'normal')
  t.equal((await post(t, { headers: { 'x-request-priority': 'low' } })).given?.priority, 'low')
})

t.test('terms that are none are refused, with what is allowed', async t => {
  for (const [sent, error] of [
    [{ query: '?timeout=0' }, /"timeout" is a whole number of milliseconds above 0, not "0"/],
    [{ query: '?timeout=1s' }, /not "1s"/],
    [{ headers: { 'x-request-deadline': 'soon' } }, /"X-Request-Deadline" is a number of milliseconds since 1970 or a date, not "soon"/],
    [{ headers: { 'x-request-priority': 'high' } }, /"X-Request-Priority" is "normal" or "low", not "high"/]
  ] as const) t.match(await post(t, sent), { status: 400, body: { code: 'SERVE_BAD_REQUEST', error } })
})
