import { derivedSeed } from '../random.ts'
import type { Dataset } from '../datasets/dataset.ts'
import { splitDataset } from '../datasets/folds.ts'
import { holdOutRows } from '../datasets/hold-out.ts'
import type { Logs } from '../history.ts'
import { RecipeRun, type RecipeRunOptions, type RecipeTraining } from '../recipe-run.ts'
import { Trainer } from '../trainer.ts'

/** Share of the rows to learn from that trials are compared on. What the recipe holds out stays unseen until the best is known. */
const VALIDATION_SHARE = 0.2

/** Tells the order of rows here from every other use of the seed. */
const SPLIT_SEED_USE = 2_000_000

/** How a trial leaves its recipe once the model is trained: nothing is evaluated or exported. */
export class TrialMeasured extends Error {
  override readonly name = 'TrialMeasured'
}

/** A recipe's run that ends with its training. */
export class TrialRun extends RecipeRun {
  readonly #onEpoch: (logs: Logs) => void

  constructor (options: RecipeRunOptions, onEpoch: (logs: Logs) => void) {
    super(options)
    this.#onEpoch = onEpoch
  }

  /** Trains on four fifths of the rows and measures on the rest, or on what the recipe set aside for choosing. @throws TrialMeasured */
  override async train ({ data, validation, callbacks = [], ...training }: RecipeTraining): Promise<never> {
    const { epochs, batchSize, seed } = this.settings
    const trainer = await Trainer.create({ metrics: ['accuracy'], ...training, seed })
    try {
      await trainer.fit({
        ...(validation === undefined ? split(data, seed) : { data, validation }),
        epochs,
        batchSize,
        callbacks: [...callbacks, { onEpochEnd: (_, logs) => { this.#onEpoch(logs) } }],
        ...(this.signal !== undefined && { signal: this.signal })
      })
    } finally {
      await trainer.close()
    }
    throw new TrialMeasured('The trial is measured')
  }
}

function split (data: Dataset, seed: number): { data: Dataset, validation: Dataset } {
  return splitDataset(data, holdOutRows(data.rows, VALIDATION_SHARE, derivedSeed(seed, SPLIT_SEED_USE)))
}
