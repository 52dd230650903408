import type { TrainingCallback, TrainingControl } from './callback.ts'
import { Monitor, type MonitorOptions } from './monitor.ts'

export interface CheckpointOptions extends MonitorOptions {
  /** The file, a safetensors file that other tools read too; its folder is made. */
  readonly path: string
  /** `last` (default): after every epoch, and where a signal stops the run. `best`: after the epochs whose figure is the best so far. */
  readonly keep?: 'last' | 'best'
}

/**
 * Saves all that a run needs to go on: variables, the optimizer's too, the place in the epoch, other callbacks' states.
 *
 * @see FitOptions.resume, Trainer.restore
 */
export function checkpoint ({ path, keep = 'last', ...options }: CheckpointOptions): TrainingCallback {
  const monitor = new Monitor(options)
  let control: TrainingControl
  return {
    name: 'checkpoint',
    onTrainBegin: given => {
      control = given
      monitor.best = undefined
    },
    onEpochEnd: (_epoch, logs) => {
      if (keep === 'last' || monitor.improves(logs)) control.save(path)
    },
    onTrainEnd: ({ stopped }) => {
      if (stopped && keep === 'last') control.save(path)
    },
    state: () => ({ values: { best: monitor.best ?? null } }),
    restore: ({ values }) => { monitor.best = (values as { best: number | null }).best ?? undefined }
  }
}
