import type { TrainingControl } from '../../src/training/callbacks/callback.ts'

/** A run without a model, to lead a callback through figures that are made up. */
export function control (): TrainingControl & { isEnded: boolean, readonly saved: string[] } {
  return {
    epochs: 100,
    steps: 0,
    learningRate: 1,
    history: { epoch: [], history: {}, stopped: false },
    isEnded: false,
    saved: [],
    stop () { this.isEnded = true },
    values: async () => [],
    setValues: async () => {},
    save (path) { this.saved.push(path) }
  }
}
