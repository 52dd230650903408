import t from 'tap'
import { closedLoop } from '../../load/closed-loop.ts'
import { serve } from './serve.ts'

const BRIEFLY = { connections: 2, durationMs: 200 }

t.test('counts the replies of a server that answers everything and times them', async t => {
  let served = 0
  const url = await serve(t, (_request, response) => { served++; setTimeout(() => response.end('fine'), 5) })
  const run = await closedLoop(url, { path: '/', verify: body => body === 'fine' }, BRIEFLY)
  t.ok(run.replies > 0 && run.replies <= served && served - run.replies <= BRIEFLY.connections, `${run.replies} of ${served}`)
  t.ok(run.p50Ms >= 4 && run.p50Ms <= run.p99Ms && run.p99Ms <= run.maxMs, JSON.stringify(run))
  t.ok(run.perSecond > 0 && run.perSecond <= 2 * 250, `two connections that wait at least 4 ms: ${run.perSecond}`)
})

t.test('sends the method, the headers and the body it was given', async t => {
  const seen = new Set<string>()
  const url = await serve(t, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      seen.add(`${request.method} ${request.url} ${request.headers['content-type']} ${Buffer.concat(chunks).toString('hex')}`)
      response.end()
    })
  })
  await closedLoop(url, { path: '/there', headers: { 'content-type': 'image/jpeg' }, body: new Uint8Array([0xff, 0xd8, 0]) }, BRIEFLY)
  t.strictSame([...seen], ['POST /there image/jpeg ffd800'])
})

t.test('fails if a single reply is not 2xx, and says which', async t => {
  let served = 0
  const url = await serve(t, (_request, response) => { response.writeHead(++served === 7 ? 503 : 200).end() })
  await t.rejects(closedLoop(url, { path: '/' }, BRIEFLY), { message: /^Expected only 2xx replies but 1 were not.*1 × 503/ })
})

t.test('fails if a reply is 2xx but not the right one', async t => {
  let served = 0
  const url = await serve(t, (_request, response) => { response.end(++served === 7 ? 'other' : 'right') })
  await t.rejects(closedLoop(url, { path: '/', verify: body => body === 'right' }, BRIEFLY), { message: /the right reply to every request but 1 were others/ })
})

t.test('fails if the server closes a connection instead of answering', async t => {
  let served = 0
  const url = await serve(t, (request, response) => { if (++served === 7) request.socket.end(); else response.end() })
  await t.rejects(closedLoop(url, { path: '/' }, BRIEFLY), { message: /the server closed 1 connections before/ })
})

t.test('fails if nobody listens', async t => {
  await t.rejects(closedLoop('http://127.0.0.1:1', { path: '/' }, BRIEFLY), { message: /ECONNREFUSED/ })
})

t.test('ends early when it is told to', async t => {
  const url = await serve(t, (_request, response) => { response.end() })
  const startedAt = performance.now()
  const until = new Promise(resolve => setTimeout(resolve, 100))
  await closedLoop(url, { path: '/' }, { connections: 1, durationMs: 20_000, until })
  t.ok(performance.now() - startedAt < 5000)
})
