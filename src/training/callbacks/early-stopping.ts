import type { TensorValue } from '../../tensorflow/index.ts'
import type { TrainingCallback, TrainingControl } from './callback.ts'
import { Monitor, type MonitorOptions } from './monitor.ts'

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without a better figure that are waited for; default 0. */
  readonly patience?: number
  /** Whether the model ends with the weights of its best epoch; default true. They are kept in memory until then. */
  readonly restoreBestWeights?: boolean
}

/** Ends the run when a figure no longer gets better. */
export function earlyStopping ({ patience = 0, restoreBestWeights = true, ...options }: EarlyStoppingOptions = {}): TrainingCallback {
  const monitor = new Monitor(options)
  let control: TrainingControl
  let waited = 0
  let best: readonly TensorValue[] = []
  return {
    name: 'earlyStopping',
    onTrainBegin: given => {
      control = given
      monitor.best = undefined
      waited = 0
      best = []
    },
    onEpochEnd: async (_epoch, logs) => {
      if (monitor.improves(logs)) {
        waited = 0
        if (restoreBestWeights) best = (await control.values()).map(([, value]) => value)
      } else if (++waited >= patience) {
        control.stop()
      }
    },
    // A run that a signal stopped is to go on from the weights that it has.
    onTrainEnd: async ({ stopped }) => {
      if (!stopped && best.length > 0) await control.setValues(best)
    },
    state: () => ({ values: { best: monitor.best ?? null, waited }, tensors: best }),
    restore: ({ values, tensors = [] }) => {
      const kept = values as { best: number | null, waited: number }
      monitor.best = kept.best ?? undefined
      waited = kept.waited
      best = tensors
    }
  }
}
