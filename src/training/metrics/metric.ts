import type { Output } from '../../tensorflow/index.ts'
import type { Scope } from '../lowering/scope.ts'

/** What a metric is made from. */
export interface MetricInputs {
  /** As the loss wants it. */
  readonly target: Output
  /** float32 [N, …], as the model gives it. */
  readonly output: Output
  /** Where the output is a softmax: of what. The largest of both is the same, and while a model learns nothing else wants the softmax. */
  readonly logits?: Output | undefined
  /** Whether targets are class numbers, not one-hot rows. */
  readonly isSparse: boolean
  /** Whether each number of the output is a yes or no of its own, not one class of several. */
  readonly isDecidedAlone: boolean
  /** Whether the output is what a softmax or sigmoid would take. */
  readonly isLogits: boolean
}

/**
 * A figure about predictions that is no loss. The graph counts, batch by batch; the counts of all batches are added up in float64, and only
 * then become a figure: so precision, say, is exact however rows fall into batches.
 */
export interface Metric {
  /** As it is written into the history: `acc`. */
  readonly name: string
  /** What one batch adds to the counts: float32 [k], k known. */
  counts (scope: Scope, inputs: MetricInputs): Output
  /** @param counts of all rows */
  finish (counts: Float64Array): number
}

/** What an output has to be above to count as yes, unless something else is asked for. */
export function usualThreshold ({ isLogits }: MetricInputs): number {
  return isLogits ? 0 : 0.5
}

/** A metric that is a mean over rows, or over rows and steps. Your own, for one. */
export function meanMetric (name: string, valueOfRows: (scope: Scope, inputs: MetricInputs) => Output): Metric {
  return {
    name,
    counts: (scope, inputs) => {
      const values = valueOfRows(scope, inputs)
      const flat = scope.reshape(values, [-1])
      return scope.op('Pack', [[scope.sum(flat, [0]), scope.float(scope.op('Size', [flat]))]])
    },
    finish: ([sum, count]) => sum! / count!
  }
}
