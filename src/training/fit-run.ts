import { TrainingDivergedError } from '../errors.ts'
import { eachBatch } from './batches.ts'
import type { TrainingCallback, TrainingControl } from './callbacks/callback.ts'
import { rowRange, type Batch, type Dataset } from './datasets/dataset.ts'
import { addEpoch, FigureSums, type History } from './history.ts'
import type { Learner } from './learner.ts'
import { derivedSeed, shuffledRows } from './random.ts'
import { readTrainingState, unusable, writeTrainingState, type RunIdentity, type TrainingState } from './training-state.ts'

export interface FitOptions {
  readonly data: Dataset
  /** Measured after each epoch, never learned from. */
  readonly validation?: Dataset
  readonly epochs: number
  /** Rows a step; default 32. The last batch of an epoch may be smaller. */
  readonly batchSize?: number
  /** Another order of rows each epoch, decided by the seed; default true. */
  readonly shuffle?: boolean
  readonly callbacks?: readonly TrainingCallback[]
  /** Stops after the step under way; the weights stay as they are then. */
  readonly signal?: AbortSignal
  /**
   * A file that the callback `checkpoint` saved: the run goes on where it was, in the middle of an epoch too. Model, data, batch size, seed
   * and callbacks have to be the same; the result then is that of a run that was never interrupted, on a CPU to the bit.
   */
  readonly resume?: string
}

interface StepDone {
  /** Of its batch, before the step. */
  readonly figures: Float32Array
  /** The trainer's, this one included. */
  readonly steps: number
}

export const DEFAULT_BATCH_SIZE = 32

/** One call of `fit`. */
export class FitRun {
  readonly #learner: Learner
  readonly #seed: number
  readonly #options: FitOptions
  readonly #batchSize: number
  readonly #callbacks: readonly TrainingCallback[]
  readonly #stepCallbacks: readonly TrainingCallback[]
  readonly #control: TrainingControl
  readonly #saves = new Set<string>()
  readonly #history: History = { epoch: [], history: {}, stopped: false }
  #epoch = 0
  #rowsDone = 0
  #sums: FigureSums
  #isEnded = false

  constructor (learner: Learner, seed: number, options: FitOptions) {
    this.#learner = learner
    this.#seed = seed
    this.#options = options
    this.#batchSize = options.batchSize ?? DEFAULT_BATCH_SIZE
    this.#callbacks = options.callbacks ?? []
    this.#stepCallbacks = this.#callbacks.filter(callback => callback.onStep !== undefined)
    this.#sums = new FigureSums(learner.graph.layout)
    this.#control = this.#makeControl()
  }

  /** @throws as `Trainer.fit` */
  async run (): Promise<History> {
    const { epochs, resume } = this.#options
    await this.#tell(callback => callback.onTrainBegin?.(this.#control))
    if (resume !== undefined) await this.#resume(resume)
    while (this.#epoch < epochs && !this.#isEnded && !this.#isAborted) await this.#runEpoch()
    this.#history.stopped = this.#isAborted && this.#epoch < epochs && !this.#isEnded
    await this.#tell(callback => callback.onTrainEnd?.(this.#history))
    return this.#history
  }

  get #isAborted (): boolean {
    return this.#options.signal?.aborted === true
  }

  async #runEpoch (): Promise<void> {
    const { data, validation, shuffle = true } = this.#options
    const order = shuffle ? shuffledRows(data.rows, derivedSeed(this.#seed, this.#epoch)) : rowRange(0, data.rows)
    if (this.#rowsDone === 0) await this.#tell(callback => callback.onEpochBegin?.(this.#epoch))
    await eachBatch({ data, order: order.subarray(this.#rowsDone), batchSize: this.#batchSize }, {
      begin: batch => this.#beginStep(batch),
      finish: (step, rows) => this.#finishStep(step, rows),
      atOnce: this.#stepCallbacks.every(({ onlyWatches }) => onlyWatches === true) ? this.#learner.mostAtOnce : 1
    })
    if (this.#isAborted || this.#rowsDone < data.rows) return
    const validated = validation === undefined ? {} : await this.#learner.measure({ data: validation, order: rowRange(0, validation.rows), batchSize: this.#batchSize }, 'val_')
    await this.#endEpoch({ ...this.#sums.logs(), ...validated })
  }

  async #beginStep (batch: Batch): Promise<StepDone> {
    const learning = this.#learner.learn(batch)
    const { steps } = this.#learner
    return { figures: await learning, steps }
  }

  /** @returns whether the epoch goes on */
  async #finishStep ({ figures, steps }: StepDone, rows: number): Promise<boolean> {
    if (!Number.isFinite(figures[0])) throw new TrainingDivergedError(figures[0]!, this.#epoch + 1, Math.floor(this.#rowsDone / this.#batchSize) + 1)
    this.#sums.add(figures, rows)
    this.#rowsDone += rows
    if (this.#stepCallbacks.length > 0) {
      const report = { epoch: this.#epoch, epochs: this.#options.epochs, rowsDone: this.#rowsDone, rows: this.#options.data.rows, logs: this.#sums.logs(), steps, learningRate: this.#learner.learningRateAfter(steps) }
      await this.#tell(callback => callback.onStep?.(report), this.#stepCallbacks)
    }
    return !this.#isAborted && !this.#isEnded
  }

  /** The place is moved on before callbacks are told, so that what they save is the beginning of the next epoch. */
  async #endEpoch (logs: Record<string, number>): Promise<void> {
    const epoch = this.#epoch++
    addEpoch(this.#history, epoch, logs)
    this.#rowsDone = 0
    this.#sums = new FigureSums(this.#learner.graph.layout)
    await this.#tell(callback => callback.onEpochEnd?.(epoch, logs))
  }

  /** Tells callbacks in their order, then saves what they asked to be saved: with what all of them remember. */
  async #tell (event: (callback: TrainingCallback) => void | Promise<void>, callbacks = this.#callbacks): Promise<void> {
    for (const callback of callbacks) await event(callback)
    if (this.#saves.size === 0) return
    const state = await this.#state()
    for (const path of this.#saves) await writeTrainingState(path, state)
    this.#saves.clear()
  }

  #makeControl (): TrainingControl {
    const learner = this.#learner
    return {
      epochs: this.#options.epochs,
      history: this.#history,
      get steps () { return learner.steps },
      get learningRate () { return learner.learningRate },
      set learningRate (value) { learner.learningRate = value },
      stop: () => { this.#isEnded = true },
      values: () => learner.values(),
      setValues: values => learner.setValues(values),
      save: path => { this.#saves.add(path) }
    }
  }

  get #identity (): RunIdentity {
    return { seed: this.#seed, batchSize: this.#batchSize, rows: this.#options.data.rows, shuffle: this.#options.shuffle ?? true }
  }

  get #rememberingCallbacks (): TrainingCallback[] {
    return this.#callbacks.filter(callback => callback.state !== undefined)
  }

  async #state (): Promise<TrainingState> {
    return {
      identity: this.#identity,
      learner: await this.#learner.state(),
      epoch: this.#epoch,
      rowsDone: this.#rowsDone,
      sums: this.#sums.state(),
      isEnded: this.#isEnded,
      history: this.#history,
      callbacks: this.#rememberingCallbacks.map(callback => ({ name: callback.name ?? '', state: callback.state!() }))
    }
  }

  async #resume (path: string): Promise<void> {
    const state = await readTrainingState(path, this.#identity)
    await this.#restore(state).catch((error: Error) => { throw unusable(path, error) })
  }

  async #restore (state: TrainingState): Promise<void> {
    await this.#learner.restore(state.learner)
    this.#epoch = state.epoch
    this.#rowsDone = state.rowsDone
    this.#sums.restore(state.sums)
    this.#isEnded = state.isEnded
    Object.assign(this.#history, { epoch: state.history.epoch, history: state.history.history })
    this.#rememberingCallbacks.forEach((callback, index) => {
      const saved = state.callbacks[index]
      if (saved?.name !== (callback.name ?? '')) throw new RangeError(`it has states of the callbacks [${state.callbacks.map(({ name }) => name).join(', ')}], not of ${callback.name ?? 'one without a name'} in place ${index + 1}`)
      callback.restore?.(saved.state)
    })
  }
}
