import { cosineDecay, cosineRestarts, exponentialDecay, oneCycle, piecewise, polynomialDecay, stepDecay, warmUp, type Schedule } from '../schedules.ts'
import type { Curve } from './curve.ts'

const STEPS = 1000
const RATE = 0.01

const SCHEDULES: Readonly<Record<string, Schedule>> = {
  piecewise: piecewise([300, 700], [RATE, RATE / 2, RATE / 10]),
  stepDecay: stepDecay(RATE, { factor: 0.5, every: 250 }),
  exponentialDecay: exponentialDecay(RATE, { factor: 0.5, every: 250 }),
  polynomialDecay: polynomialDecay(RATE, { steps: STEPS, power: 2 }),
  cosineDecay: cosineDecay(RATE, { steps: STEPS }),
  cosineRestarts: cosineRestarts(RATE, { steps: 143, longer: 2, lower: 0.8 }),
  'warmUp, then cosineDecay': warmUp(cosineDecay(RATE, { steps: STEPS - 100 }), { steps: 100 }),
  oneCycle: oneCycle(RATE, { steps: STEPS })
}

/** The learning rate over 1000 steps, as schedules have it. */
export function scheduleCurves (): Curve[] {
  return Object.entries(SCHEDULES).map(([name, schedule]) => ({ name, points: Array.from({ length: STEPS + 1 }, (_, step) => [step, schedule(step)]) }))
}
