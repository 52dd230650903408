import type { RateTrace } from '../callbacks/rate-trace.ts'
import type { Dataset } from '../datasets/dataset.ts'
import type { History } from '../history.ts'
import type { Trainer } from '../trainer.ts'
import { showImages, type Examples, type ShowRows } from './examples.ts'
import { judge, keepTargets, worstMistakes, type Judgement } from './judgement.ts'

/** As many as are looked at with one glance. */
const MISTAKES_SHOWN = 24

export interface Mistakes {
  readonly judgement: Judgement
  /** Rows that were taken for another class, the surest first. */
  readonly worst: Int32Array
  /** The same rows, to be looked at. */
  readonly examples: Examples | undefined
}

/** What there is to tell of one training: collected while the trained model is there, written once its version is. */
export interface TrainingRecord {
  /** Where a run has several; the main one has none. */
  readonly name: string | undefined
  /** The model, layer by layer. */
  readonly summary: readonly string[]
  readonly history: History
  readonly rates: RateTrace
  /** Of the held-out rows. */
  readonly metrics: Readonly<Record<string, number>>
  /** undefined if the model does not tell classes apart. */
  readonly mistakes: Mistakes | undefined
}

/** Goes through the held-out rows once. @param show default: images, if the rows are some */
export async function findMistakes (trainer: Trainer, heldOut: Dataset, batchSize: number, show: ShowRows = showImages(heldOut)): Promise<Mistakes | undefined> {
  const data = keepTargets(heldOut)
  const outputs = await trainer.predict(data, batchSize)
  const judgement = outputs.length === 1 ? judge(outputs[0]!, data.targets) : undefined
  if (judgement === undefined) return undefined
  const worst = worstMistakes(judgement, MISTAKES_SHOWN)
  return { judgement, worst, examples: worst.length === 0 ? undefined : await show(worst) }
}
