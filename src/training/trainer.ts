import { stackRows } from '../batching/rows.ts'
import type { SessionOptions, TensorValue, Variable } from '../tensorflow/index.ts'
import { eachBatch, refuseEmpty } from './batches.ts'
import { rowRange, type Dataset } from './datasets/dataset.ts'
import { DEFAULT_BATCH_SIZE, FitRun, type FitOptions } from './fit-run.ts'
import type { History } from './history.ts'
import { Learner } from './learner.ts'
import { traceLearningRates, type LearningRateCurve, type RateRange } from './learning-rate-finder.ts'
import { derivedSeed, shuffledRows } from './random.ts'
import type { TrainingOptions } from './training-graph.ts'
import { readTrainingState, unusable } from './training-state.ts'

/**
 * Trains a `tf.layers` model as one TensorFlow graph. On a CPU the same seed, data, thread count and kernels (docs/decisions/0013) give the
 * same weights to the bit; a GPU adds up in an order of its own. Owned by its maker: `close` it.
 */
export class Trainer {
  readonly #learner: Learner
  readonly #seed: number

  private constructor (learner: Learner, seed: number) {
    this.#learner = learner
    this.#seed = seed
  }

  /** Lowers the model and gives its variables the weights that it has in `tf.layers`. @throws LoweringError if a layer can't be lowered */
  static async create (options: TrainingOptions, sessionOptions: SessionOptions = {}): Promise<Trainer> {
    return new Trainer(await Learner.create(options, sessionOptions), options.seed)
  }

  /** Of the next step. May be changed between steps; a schedule then no longer counts. */
  get learningRate (): number {
    return this.#learner.learningRate
  }

  set learningRate (value: number) {
    this.#learner.learningRate = value
  }

  /**
   * Learns from every row once an epoch.
   *
   * @throws TrainingDivergedError if the loss becomes NaN or infinite
   * @throws DatasetError if there are no rows, or they do not fit the model's inputs and targets
   * @throws BadCheckpointError if there is nothing at `resume`, or it is of another run
   */
  async fit (options: FitOptions): Promise<History> {
    refuseEmpty(options.data, 'learn from')
    if (options.validation !== undefined) refuseEmpty(options.validation, 'validate with')
    return await new FitRun(this.#learner, this.#seed, options).run()
  }

  /**
   * Tries learning rates, from far too low to far too high, on this model and these rows. Weights, optimizer and schedule stay as they were.
   *
   * @throws DatasetError as `fit`
   */
  async findLearningRate ({ data, batchSize = DEFAULT_BATCH_SIZE, ...range }: RateRange & { readonly data: Dataset, readonly batchSize?: number }): Promise<LearningRateCurve> {
    refuseEmpty(data, 'learn from')
    const before = await this.#learner.state()
    let epoch = 0
    let left: Int32Array = new Int32Array(0)
    try {
      return await traceLearningRates(async rate => {
        if (left.length === 0) left = shuffledRows(data.rows, derivedSeed(this.#seed, epoch++))
        const batch = await data.batch(left.subarray(0, batchSize))
        left = left.subarray(batchSize)
        return (await this.#learner.learn(batch, rate))[0]!
      }, range)
    } finally {
      await this.#learner.restore(before)
    }
  }

  /** @returns loss and metrics over all rows */
  async evaluate (data: Dataset, batchSize = DEFAULT_BATCH_SIZE): Promise<Record<string, number>> {
    return await this.#learner.measure({ data, order: rowRange(0, data.rows), batchSize })
  }

  /** @returns the model's outputs for all rows of the dataset, whose targets are not looked at */
  async predict (data: Dataset, batchSize = DEFAULT_BATCH_SIZE): Promise<TensorValue[]> {
    const parts: TensorValue[][] = []
    await eachBatch({ data, order: rowRange(0, data.rows), batchSize }, {
      begin: batch => this.#learner.predict(batch),
      finish: outputs => { parts.push(outputs); return true }
    })
    return this.#learner.graph.outputs.map((_, index) => stackRows(parts.map(part => part[index]!)))
  }

  /** The model's variables with the values learned so far. */
  async values (): Promise<[Variable, TensorValue][]> {
    return await this.#learner.values()
  }

  /**
   * Takes over the variables of a checkpoint, the optimizer's too, whichever run it is of.
   *
   * @throws BadCheckpointError if it is none, or of another model or optimizer
   */
  async restore (path: string): Promise<void> {
    const { learner } = await readTrainingState(path)
    await this.#learner.restore(learner).catch((error: Error) => { throw unusable(path, error) })
  }

  /** Waits for what is under way. Idempotent. */
  async close (): Promise<void> {
    await this.#learner.close()
  }
}
