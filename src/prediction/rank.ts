import { InferenceError } from '../errors.ts'
import type { Manifest } from '../registry/manifest.ts'
import type { DType, TensorValue } from '../tensorflow/index.ts'
import { BFLOAT16, FLOAT16, fromFloatBits } from './tensor-json/small-floats.ts'

/** A row's answer, in the course's words. */
export interface Ranking {
  readonly predicted_class: number
  readonly label: string
  readonly confidence: number
  /** By class number. */
  readonly all_probabilities: readonly number[]
  /** Most probable first; of equals the lower number. */
  readonly top: readonly RankedClass[]
}

export interface RankedClass {
  readonly class: number
  readonly label: string
  readonly confidence: number
}

/** So many of a thousand classes are found in a tenth of the time that sorting all takes. */
const MAX_INSERTED = 32

export interface RankOptions {
  /** For messages. */
  readonly model: string
  readonly activation: Manifest['activation']
  /** By class number; without them a class's label is its number. */
  readonly labels: readonly string[] | undefined
  /** How many classes `top` holds, 1 and more. */
  readonly topK: number
}

/**
 * Ranks the classes of each row.
 *
 * @param scores first side: rows; the rest of a row, whatever its sides, are its classes. One number is the probability of class 1
 * @throws InferenceError if there is not one row of scores for each of `rows`, or a probability is not finite
 */
export function rankRows (scores: TensorValue, rows: number, options: RankOptions): Ranking[] {
  const numbers = floatsOf(scores, options.model)
  const classes = numbers.length / rows
  if (scores.shape[0] !== rows || classes < 1) throw new InferenceError(options.model, `it gave scores of shape [${scores.shape.join(', ')}] for ${rows} rows`)
  return Array.from({ length: rows }, (_, row) => rank(numbers.slice(row * classes, (row + 1) * classes), options))
}

function rank (scores: readonly number[], { model, activation, labels, topK }: RankOptions): Ranking {
  const probabilities = probabilitiesOf(scores, activation)
  const wrong = probabilities.findIndex(probability => !Number.isFinite(probability))
  if (wrong !== -1) throw new InferenceError(model, `it gave ${probabilities[wrong]} as the probability of class ${wrong}`)
  const top = topClasses(probabilities, topK).map(index => (
    { class: index, label: labels?.[index] ?? String(index), confidence: probabilities[index] as number }))
  const [first] = top as [RankedClass, ...RankedClass[]]
  return { predicted_class: first.class, label: first.label, confidence: first.confidence, all_probabilities: probabilities, top }
}

/** @param scores of one row; a single one stands for class 1 against class 0 */
function probabilitiesOf (scores: readonly number[], activation: Manifest['activation']): readonly number[] {
  if (activation === 'softmax' && scores.length > 1) return softmax(scores)
  const probabilities = activation === undefined || activation === 'none' ? scores : scores.map(sigmoid)
  return probabilities.length === 1 ? [1 - (probabilities[0] as number), probabilities[0] as number] : probabilities
}

/** Shifted by the largest, so that nothing overflows. */
function softmax (scores: readonly number[]): number[] {
  const largest = scores.reduce((a, b) => Math.max(a, b))
  const powers = scores.map(score => Math.exp(score - largest))
  const sum = powers.reduce((a, b) => a + b)
  return powers.map(power => power / sum)
}

function sigmoid (score: number): number {
  return 1 / (1 + Math.exp(-score))
}

/** The largest first, of equals the first. */
function topClasses (probabilities: readonly number[], count: number): number[] {
  if (count > MAX_INSERTED) return probabilities.map((_, index) => index).sort((a, b) => probabilities[b]! - probabilities[a]! || a - b).slice(0, count)
  const top: number[] = []
  probabilities.forEach((probability, index) => {
    if (top.length === count && probability <= probabilities[top.at(-1)!]!) return
    let place = Math.min(top.length, count - 1)
    for (; place > 0 && probabilities[top[place - 1]!]! < probability; place--) top[place] = top[place - 1]!
    top[place] = index
  })
  return top
}

/** For each type of scores what makes a number of an element; none where it is one. */
const TO_NUMBER: Partial<Record<DType, ((element: number) => number) | null>> = {
  float16: bits => fromFloatBits(bits, FLOAT16),
  bfloat16: bits => fromFloatBits(bits, BFLOAT16),
  float32: null,
  float64: null
}

function floatsOf ({ dtype, data }: TensorValue, model: string): number[] {
  const toNumber = TO_NUMBER[dtype]
  if (toNumber === undefined) throw new InferenceError(model, `its scores are of type ${dtype}, which are no floats`)
  return toNumber === null ? Array.from(data as Float32Array) : Array.from(data as Uint16Array, toNumber)
}
