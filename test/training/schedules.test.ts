import t, { type Test } from 'tap'
import { cosineDecay, cosineRestarts, exponentialDecay, oneCycle, piecewise, polynomialDecay, stepDecay, warmUp, type Schedule } from '../../src/training/schedules.ts'

/** float64 rounding only. */
function isSchedule (t: Test, schedule: Schedule, expected: Record<number, number>): void {
  for (const [step, rate] of Object.entries(expected)) {
    const found = schedule(Number(step))
    t.ok(Math.abs(found - rate) < 1e-12, `step ${step}`, { found, rate })
  }
}

t.test('piecewise holds each rate from its boundary on', async t => {
  isSchedule(t, piecewise([10, 20], [1, 0.5, 0.1]), { 0: 1, 9: 1, 10: 0.5, 19: 0.5, 20: 0.1, 999: 0.1 })
  t.throws(() => piecewise([10], [1]), { message: 'Expected 2 rates for 1 boundaries but received 1' })
})

t.test('step decay falls at once, exponential decay little by little', async t => {
  isSchedule(t, stepDecay(0.8, { factor: 0.5, every: 10 }), { 0: 0.8, 9: 0.8, 10: 0.4, 25: 0.2 })
  isSchedule(t, exponentialDecay(0.8, { factor: 0.25, every: 10 }), { 0: 0.8, 5: 0.4, 10: 0.2, 20: 0.05 })
})

t.test('polynomial decay ends and stays at its end', async t => {
  isSchedule(t, polynomialDecay(1, { steps: 10, end: 0.2 }), { 0: 1, 5: 0.6, 10: 0.2, 50: 0.2 })
  isSchedule(t, polynomialDecay(1, { steps: 10, power: 2 }), { 5: 0.25 })
})

t.test('cosine decay is half a wave', async t => {
  isSchedule(t, cosineDecay(1, { steps: 12, end: 0.2 }), { 0: 1, 4: 0.8, 6: 0.6, 8: 0.4, 12: 0.2, 50: 0.2 })
})

t.test('with restarts each wave is longer, and lower if wanted', async t => {
  isSchedule(t, cosineRestarts(1, { steps: 10, lower: 0.5 }), { 0: 1, 5: 0.5, 10: 0.5, 20: 0.25, 30: 0.25, 50: 0.125 })
  isSchedule(t, cosineRestarts(1, { steps: 10, longer: 1, end: 0.1 }), { 0: 1, 5: 0.55, 10: 1, 95: 0.55 })
})

t.test('a warm-up leads to a rate, or to the beginning of another schedule', async t => {
  isSchedule(t, warmUp(0.8, { steps: 4 }), { 0: 0, 1: 0.2, 4: 0.8, 99: 0.8 })
  isSchedule(t, warmUp(cosineDecay(1, { steps: 12 }), { steps: 2, from: 0.5 }), { 0: 0.5, 1: 0.75, 2: 1, 8: 0.5, 14: 0 })
})

t.test('one cycle rises to its top, and falls to nearly nothing', async t => {
  isSchedule(t, oneCycle(1, { steps: 100 }), { 0: 0.04, 15: 0.52, 30: 1, 65: (1 + 0.04 / 10_000) / 2, 100: 0.04 / 10_000, 500: 0.04 / 10_000 })
})
