import type { TensorValue } from '../../tensorflow/index.ts'
import type { Dataset } from '../datasets/dataset.ts'
import { predictedClasses } from '../metrics/confusion-matrix.ts'

/** What a classifier took rows for. */
export interface Judgement {
  readonly classes: number
  readonly actual: Int32Array
  readonly predicted: Int32Array
  /** Of the class taken, as the model gives it. */
  readonly scores: Float32Array
  /** By how much the class taken is ahead of the right one: 0 where it is the right one. */
  readonly margins: Float32Array
}

/** A dataset that keeps the targets it gives, in the order of the batches asked for. */
export function keepTargets (data: Dataset): Dataset & { readonly targets: readonly TensorValue[] } {
  const targets: TensorValue[] = []
  return {
    rows: data.rows,
    targets,
    async batch (rows) {
      const batch = await data.batch(rows)
      targets.push(batch.targets[0]!)
      return batch
    }
  }
}

/**
 * @param output of the model, [rows, classes], or [rows, 1] of two classes
 * @param targets of the same rows, part by part: class numbers [rows] or [rows, 1], or one of 1 among 0 [rows, classes]
 * @returns undefined if the model does not tell classes apart
 */
export function judge ({ shape, data }: TensorValue, targets: readonly TensorValue[]): Judgement | undefined {
  const [rows = 0, width = 0] = shape
  if (shape.length !== 2 || width === 0 || Array.isArray(data)) return undefined
  const classes = Math.max(2, width)
  const actual = Int32Array.from(targets.flatMap(target => classNumbers(target, width)))
  if (actual.length !== rows || actual.some(label => !(label >= 0 && label < classes))) return undefined
  const values = data as Float32Array
  const predicted = predictedClasses({ dtype: 'float32', shape, data })
  const score = (row: number, label: number): number => width > 1 ? values[row * width + label]! : label === 1 ? values[row]! : 1 - values[row]!
  const scores = Float32Array.from(predicted, (label, row) => score(row, label))
  return { classes, actual, predicted, scores, margins: scores.map((value, row) => value - score(row, actual[row]!)) }
}

/** -1 where a target is no class. */
function classNumbers ({ shape, data }: TensorValue, width: number): number[] {
  const numbers = Array.from(data as ArrayLike<number | bigint>, Number)
  if (shape.length === 1 || shape[1] === 1) return numbers.map(value => Number.isInteger(value) ? value : -1)
  if (shape.length !== 2 || shape[1] !== width) return [-1]
  return Array.from({ length: shape[0]! }, (_, row) => {
    const own = numbers.slice(row * width, (row + 1) * width)
    return own.every(value => value === 0 || value === 1) ? own.indexOf(1) : -1
  })
}

/** Rows that were taken for another class, the surest first. Pure. */
export function worstMistakes ({ actual, predicted, margins }: Judgement, most: number): Int32Array {
  const wrong = Int32Array.from(actual.keys()).filter(row => actual[row] !== predicted[row])
  return wrong.sort((a, b) => margins[b]! - margins[a]! || a - b).slice(0, most)
}

/** How well one class is told from the others. */
export interface ClassFigures {
  readonly label: string
  /** Rows that are of it. */
  readonly rows: number
  /** Share of those taken for it that are of it; null: none was. */
  readonly precision: number | null
  /** Share of its rows that were taken for it; null: there are none. */
  readonly recall: number | null
  readonly f1: number | null
}

/** @param counts [actual][predicted] */
export function classFigures (counts: readonly (readonly number[])[], labels: readonly string[]): ClassFigures[] {
  return labels.map((label, index) => {
    const rows = counts[index]!.reduce((sum, count) => sum + count, 0)
    const taken = counts.reduce((sum, row) => sum + row[index]!, 0)
    const right = counts[index]![index]!
    return { label, rows, precision: share(right, taken), recall: share(right, rows), f1: share(2 * right, rows + taken) }
  })
}

function share (part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}
