import t from 'tap'
import { openLoop } from '../../load/open-loop.ts'
import { serve } from './serve.ts'

const BRIEFLY = { perSecond: 100, durationMs: 500 }
const NONE = { count: 0, p50Ms: NaN, p99Ms: NaN, maxMs: NaN }

t.test('sends as many requests as fall due, whatever the server does', async t => {
  let served = 0
  const url = await serve(t, (_request, response) => { served++; setTimeout(() => response.end('fine'), 100) })
  const run = await openLoop(url, { path: '/', verify: body => body === 'fine' }, BRIEFLY)
  t.match(run, { due: 50, good: { count: 50 }, rejected: NONE, withoutRetryAfter: 0, wrong: 0, others: {}, hung: 0, leftOut: 0 })
  t.ok(run.goodPerSecond > 20 && run.goodPerSecond <= 50 / 0.59, `the last one was over 590 ms after the first was due: ${run.goodPerSecond}`)
  t.equal(served, 50)
  t.ok(run.good.p50Ms >= 99, `a closed loop of one connection would have sent five: ${run.good.p50Ms}`)
})

t.test('a server that stalls makes all late that was due meanwhile', async t => {
  const startedAt = performance.now()
  const stallMs = 300
  const url = await serve(t, (_request, response) => { setTimeout(() => response.end(), Math.max(0, startedAt + stallMs + 200 - performance.now())) })
  const { good } = await openLoop(url, { path: '/' }, { perSecond: 100, durationMs: 1000 })
  t.equal(good.count, 100)
  t.ok(good.p99Ms >= stallMs - 50 && good.maxMs < 2000, `p99 ${good.p99Ms}, max ${good.maxMs}`)
  t.ok(good.p50Ms < good.p99Ms / 2, `half of them came after the stall: ${good.p50Ms}`)
})

t.test('counts a request late by what its sending was late', async t => {
  const url = await serve(t, (_request, response) => { response.end() })
  const run = openLoop(url, { path: '/' }, { perSecond: 100, durationMs: 300 })
  const blockedUntil = performance.now() + 250
  while (performance.now() < blockedUntil); // the driver's own process stalls
  const { good, sentLateP99Ms } = await run
  t.ok(good.maxMs >= 200, String(good.maxMs))
  t.ok(sentLateP99Ms >= 200, `says that it was the driver: ${sentLateP99Ms}`)
})

t.test('keeps what was rejected apart, and whether it said when to try again', async t => {
  let served = 0
  const url = await serve(t, (_request, response) => {
    served++
    if (served % 2 === 0) response.writeHead(503, served % 4 === 0 ? {} : { 'retry-after': '1' })
    response.end()
  })
  const { good, rejected, withoutRetryAfter } = await openLoop(url, { path: '/' }, { perSecond: 100, durationMs: 400 })
  t.strictSame([good.count, rejected.count, withoutRetryAfter], [20, 20, 10])
  t.ok(rejected.p50Ms <= rejected.p99Ms && rejected.p99Ms <= rejected.maxMs)
})

t.test('keeps wrong replies, other statuses and broken connections apart', async t => {
  let served = 0
  const url = await serve(t, (request, response) => {
    served++
    if (served === 1) response.end('other')
    else if (served === 2) response.writeHead(500).end()
    else if (served === 3) request.socket.destroy()
    else response.end('right')
  })
  const run = await openLoop(url, { path: '/', verify: body => body === 'right' }, { perSecond: 50, durationMs: 200 })
  t.match(run, { due: 10, wrong: 1, others: { 500: 1, ECONNRESET: 1 }, good: { count: 7 }, hung: 0 })
})

t.test('gives up what hangs, even where a byte comes now and then', async t => {
  let served = 0
  const url = await serve(t, (_request, response) => {
    if (++served > 2) return response.end()
    const drip = setInterval(() => response.write('.'), 20)
    response.once('close', () => clearInterval(drip))
  })
  const { hung, good } = await openLoop(url, { path: '/' }, { perSecond: 50, durationMs: 200, timeoutMs: 300 })
  t.strictSame([hung, good.count], [2, 8])
})

t.test('leaves out what falls due above the bound on requests under way', async t => {
  const url = await serve(t, (_request, response) => { setTimeout(() => response.end(), 1000) })
  const { due, leftOut, good } = await openLoop(url, { path: '/' }, { perSecond: 50, durationMs: 200, maxOutstanding: 4 })
  t.strictSame([due, leftOut, good.count], [10, 6, 4])
})

t.test('a warm-up is sent and its failures count, but its latencies do not', async t => {
  const startedAt = performance.now()
  let served = 0
  const url = await serve(t, (_request, response) => {
    if (++served === 1) response.writeHead(500).end()
    else setTimeout(() => response.end(), performance.now() - startedAt < 300 ? 400 : 0)
  })
  const { due, good, others, goodPerSecond } = await openLoop(url, { path: '/' }, { perSecond: 50, durationMs: 400, warmUpMs: 500 })
  t.strictSame([due, good.count, others], [45, 44, { 500: 1 }])
  t.ok(good.maxMs < 300, `those of the warm-up took 400 ms: ${good.maxMs}`)
  t.ok(goodPerSecond > 25 && goodPerSecond <= 50, String(goodPerSecond))
})
