import t from 'tap'
import { inFlightCandidates } from '../../src/registry/run-rate.ts'

const GPU = { devices: () => [{ name: '/device:GPU:0', type: 'GPU' }] }

t.test('a GPU is kept fed by more runs than it calculates', async t => {
  t.strictSame(inFlightCandidates(GPU, { threads: 8, runMs: 1 }, 8), [2, 3, 4])
})

t.test('runs that share the cores are tried up to four at once, and no more than cores', async t => {
  t.strictSame(inFlightCandidates(undefined, { threads: 16, runMs: 1 }, 16), [1, 2, 4])
  t.strictSame(inFlightCandidates(undefined, { threads: 3, runMs: 1 }, 3), [1, 2, 3])
  t.strictSame(inFlightCandidates(undefined, { threads: 2, runMs: 1 }, 2), [1, 2])
})

t.test('runs of one thread take all cores, and long ones one place more', async t => {
  t.strictSame(inFlightCandidates(undefined, { threads: 1, runMs: 1 }, 4), [4])
  t.strictSame(inFlightCandidates(undefined, { threads: 1, runMs: 20 }, 4), [5])
  t.strictSame(inFlightCandidates(undefined, { threads: 1, runMs: 1 }, 1), [1])
})
