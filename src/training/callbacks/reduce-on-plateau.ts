import type { TrainingCallback, TrainingControl } from './callback.ts'
import { Monitor, type MonitorOptions } from './monitor.ts'

export interface ReduceOnPlateauOptions extends MonitorOptions {
  /** What the learning rate is multiplied with, 0…1; default 0.1. */
  readonly factor?: number
  /** Epochs without a better figure that are waited for; default 10. */
  readonly patience?: number
  /** Epochs after a reduction that do not count; default 0. */
  readonly cooldown?: number
  /** Default 0. */
  readonly minLearningRate?: number
}

/** Lowers the learning rate when a figure no longer gets better. A schedule, if there is one, ends with the first reduction. */
export function reduceOnPlateau ({ factor = 0.1, patience = 10, cooldown = 0, minLearningRate = 0, minDelta = 1e-4, ...options }: ReduceOnPlateauOptions = {}): TrainingCallback {
  if (!(factor > 0 && factor < 1)) throw new RangeError(`Expected a factor between 0 and 1 but received ${factor}`)
  const monitor = new Monitor({ minDelta, ...options })
  let control: TrainingControl
  let waited = 0
  let cooling = 0
  return {
    name: 'reduceOnPlateau',
    onTrainBegin: given => {
      control = given
      monitor.best = undefined
      waited = cooling = 0
    },
    onEpochEnd: (_epoch, logs) => {
      const isBetter = monitor.improves(logs)
      if (cooling > 0) cooling--
      if (isBetter || cooling > 0) {
        waited = 0
      } else if (++waited >= patience) {
        control.learningRate = Math.max(control.learningRate * factor, minLearningRate)
        cooling = cooldown
        waited = 0
      }
    },
    state: () => ({ values: { best: monitor.best ?? null, waited, cooling } }),
    restore: ({ values }) => {
      const kept = values as { best: number | null, waited: number, cooling: number }
      monitor.best = kept.best ?? undefined
      waited = kept.waited
      cooling = kept.cooling
    }
  }
}
