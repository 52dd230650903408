import type { Output } from '../../tensorflow/index.ts'
import type { Logits } from '../lowering/lower-model.ts'
import type { Scope } from '../lowering/scope.ts'

/** What a model says of a batch. */
export interface Prediction {
  /** float32 [N, …], as the model gives it. */
  readonly output: Output
  /** Where the output is a softmax or sigmoid: of what. */
  readonly logits?: Logits | undefined
}

/** Type and shape of a target; −1 for the rows. */
export interface TargetType {
  readonly dtype: 'float32' | 'int32'
  readonly shape: readonly number[]
}

/** Writes a loss into the graph. @returns a loss for each row, or for each row and step, with a gradient for the prediction */
export type LossOfRows = (scope: Scope, target: Output, prediction: Prediction) => Output

/** How far a prediction is from its target. */
export interface Loss {
  readonly name: string
  /** Targets for an output of this shape. */
  target (outputShape: readonly number[]): TargetType
  readonly lossOfRows: LossOfRows
  /** Whether the model's output is no probability yet, but what a softmax or sigmoid would take. */
  readonly fromLogits?: boolean
}

/** A loss whose targets look like the output. */
export function elementwise (name: string, lossOfRows: LossOfRows): Loss {
  return { name, target: shape => ({ dtype: 'float32', shape: [...shape] }), lossOfRows }
}

/** As in `tf.layers`: how near to 0 a divisor, a logarithm's argument or a probability gets. */
export const EPSILON = 1e-7
