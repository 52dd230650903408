import t from 'tap'
import { afterExit, type ExitView } from '../../src/workers/after-exit.ts'

/** A worker that crashed early while others serve. */
const crash: ExitView = { code: 134, livedMs: 500, earlyDeaths: 0, othersRun: true, hasServed: true }

t.test('a worker that lived for a while is replaced at once, and its past forgotten', async t => {
  t.strictSame(afterExit({ ...crash, livedMs: 10_000, earlyDeaths: 4 }), { kind: 'restart', delayMs: 0, earlyDeaths: 0 })
})

t.test('one that dies early again and again is replaced after 1 s, 2 s, 4 s … and 30 s at most', async t => {
  const delays = [0, 1, 2, 3, 4, 5, 60].map(earlyDeaths => afterExit({ ...crash, earlyDeaths }))
  t.strictSame(delays.map(next => next.kind === 'restart' && next.delayMs), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  t.match(delays[2], { earlyDeaths: 3 })
})

t.test('when the last one ends and none ever served, the server ends as it did', async t => {
  const refused: ExitView = { ...crash, code: 1, othersRun: false, hasServed: false }
  t.strictSame(afterExit(refused), { kind: 'end', code: 1 })
  t.strictSame(afterExit({ ...refused, code: 2 }), { kind: 'end', code: 2 })
  t.strictSame(afterExit({ ...refused, code: 0 }), { kind: 'end', code: 1 }, 'a server that never served has not ended well')
  t.match(afterExit({ ...refused, othersRun: true }), { kind: 'restart' }, 'another may still come to serve')
  t.match(afterExit({ ...refused, hasServed: true }), { kind: 'restart' }, 'one served before')
})
