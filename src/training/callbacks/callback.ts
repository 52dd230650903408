import type { TensorValue, Variable } from '../../tensorflow/index.ts'
import type { History, Logs } from '../history.ts'

/** Where a run is: what a progress bar shows. */
export interface StepReport {
  /** From 0. */
  readonly epoch: number
  readonly epochs: number
  /** Rows of the epoch that are done. */
  readonly rowsDone: number
  readonly rows: number
  /** Means over the epoch so far. */
  readonly logs: Logs
  /** Steps that the trainer has done, this one included. */
  readonly steps: number
  /** Of the next step. */
  readonly learningRate: number
}

/** What a callback can see of the run that it is part of, and do to it. */
export interface TrainingControl {
  /** How many epochs there are to be, those before a resume included. */
  readonly epochs: number
  /** Steps that the trainer has done. */
  readonly steps: number
  /** Of the next step. Once it is set, it stays: a schedule no longer counts. */
  learningRate: number
  /** All epochs so far, those before a resume included. */
  readonly history: History
  /** Ends the run after the step or epoch under way. `onTrainEnd` still follows. */
  stop (): void
  /** The model's variables with their present values, as copies. */
  values (): Promise<[Variable, TensorValue][]>
  /** Gives the model's variables other values. @param values in the order of `values` */
  setValues (values: readonly TensorValue[]): Promise<void>
  /** Saves all that `resume` needs into a file, once every callback has seen the event under way. What was there is replaced whole or not at all. */
  save (path: string): void
}

/** What a callback has to remember when a run is interrupted and resumed. */
export interface CallbackState {
  /** Plain JSON; numbers may be NaN or infinite. */
  readonly values: unknown
  readonly tensors?: readonly TensorValue[]
}

/**
 * Is told how a run goes on. Write your own: an object with the functions that you need. What they return is waited for, an error ends the
 * run. Callbacks are called in the order they were given.
 */
export interface TrainingCallback {
  /** In errors. */
  readonly name?: string
  /** Before the first step, also of a resumed run. */
  onTrainBegin? (control: TrainingControl): void | Promise<void>
  /** @param epoch from 0. Not called again for an epoch that is resumed in its middle */
  onEpochBegin? (epoch: number): void | Promise<void>
  /** `onStep` does nothing but look at its report: the next step is then begun before it is told of this one, which small models learn faster with. */
  readonly onlyWatches?: boolean
  /** After each step of learning. */
  onStep? (report: StepReport): void | Promise<void>
  /** @param logs means over the epoch, and figures of the validation rows as `val_…` */
  onEpochEnd? (epoch: number, logs: Logs): void | Promise<void>
  /** After the last epoch, or where the run was stopped: `history.stopped` tells. Not called when the run fails. */
  onTrainEnd? (history: History): void | Promise<void>
  /** What is saved with a checkpoint. */
  state? (): CallbackState
  /** Given what `state` gave, after `onTrainBegin` of a resumed run. */
  restore? (state: CallbackState): void
}
