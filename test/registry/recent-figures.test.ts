import t from 'tap'
import type { RunReport } from '../../src/batching/run-request.ts'
import { RecentRuns } from '../../src/registry/recent-figures.ts'

const batch: RunReport = { signature: 's', rows: 3, size: 4, released: 'idle', requests: 2, runMs: 10, waitedMs: 4, hasFailed: false }

t.test('sums up what ran in the last minute', async t => {
  const recent = new RecentRuns(() => 0)
  recent.add(batch)
  recent.add({ ...batch, rows: 4, released: 'full', runMs: 20, waitedMs: 8, hasFailed: true })
  recent.add({ ...batch, rows: undefined, size: undefined, released: undefined, requests: 1, runMs: 3, waitedMs: 0 })
  recent.reject()
  t.strictSame(recent.figures(), {
    runs: 3, requests: 5, rows: 8, padding: 1, failedRuns: 1, rejected: 1, longestWaitMs: 8, meanRows: 8 / 3, meanRunMs: 11, meanWaitMs: 4, released: { full: 1, idle: 1, timer: 0 }
  })
})

t.test('forgets what is older', async t => {
  let now = 0
  const recent = new RecentRuns(() => now)
  recent.add(batch)
  now = 59_000
  recent.add(batch)
  t.equal(recent.figures().runs, 2)
  now = 61_000
  t.equal(recent.figures().runs, 1)
  now = 200_000
  t.match(recent.figures(), { runs: 0, meanRunMs: undefined, longestWaitMs: 0 })
})
