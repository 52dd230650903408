import t from 'tap'
import { decide, fit } from '../../src/batching/batch-policy.ts'

const SIZES = [1, 2, 4, 8]
const view = { rows: 3, oldestReceivedAt: 0, oldestQueuedAt: 100, expected: 0, now: 100 }
const limits = { sizes: SIZES, maxDelayMs: 50 }

t.test('an empty queue asks for nothing', async t => {
  t.strictSame(decide({ ...view, rows: 0 }, limits), { kind: 'idle' })
})

t.test('goes at once when no other rows are known to come', async t => {
  t.strictSame(decide({ ...view, rows: 1 }, limits), { kind: 'run', released: 'idle', rows: 1, size: 1 })
})

t.test('goes at once when the largest batch is full, whoever is still to come', async t => {
  t.strictSame(decide({ ...view, rows: 11, expected: 5 }, limits), { kind: 'run', released: 'full', rows: 8, size: 8 })
})

t.test('waits for rows that are known to come, a fifth of the time that the request took until then', async t => {
  t.strictSame(decide({ ...view, expected: 1 }, limits), { kind: 'wait', ms: 20 })
  t.strictSame(decide({ ...view, expected: 1, now: 115 }, limits), { kind: 'wait', ms: 5 })
})

t.test('waits no longer than it is allowed to', async t => {
  t.strictSame(decide({ ...view, expected: 1, oldestReceivedAt: -10_000 }, limits), { kind: 'wait', ms: 50 })
  t.match(decide({ ...view, expected: 1 }, { ...limits, maxDelayMs: 0 }), { kind: 'run', released: 'timer' })
})

t.test('goes when the oldest row has waited its share', async t => {
  t.strictSame(decide({ ...view, expected: 1, now: 120 }, limits), { kind: 'run', released: 'timer', rows: 3, size: 4 })
})

t.test('is filled up where little is missing, else leaves the rest for the next run', async t => {
  t.strictSame(fit(3, SIZES), { rows: 3, size: 4 })
  t.strictSame(fit(5, SIZES), { rows: 4, size: 4 })
  t.strictSame(fit(6, SIZES), { rows: 6, size: 8 })
  t.strictSame(fit(8, SIZES), { rows: 8, size: 8 })
  t.strictSame(fit(100, SIZES), { rows: 8, size: 8 })
  t.strictSame(fit(3, [4, 8]), { rows: 3, size: 4 }, 'there is no smaller one')
})

t.test('never takes more rows than wait, nor runs fewer than it takes', async t => {
  for (const sizes of [SIZES, [1], [3], [4, 6, 10], [1, 32]]) {
    for (let rows = 1; rows < 80; rows++) {
      const found = fit(rows, sizes)
      t.ok(found.rows >= 1 && found.rows <= rows && found.rows <= found.size && sizes.includes(found.size), `${rows} of ${sizes.join()}`)
    }
  }
})
