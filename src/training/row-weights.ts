import type { Output } from '../tensorflow/index.ts'
import { rankOf, shapeOf, type Scope } from './lowering/scope.ts'

/** What a row counts in the loss, by the number of its class; 1 where nothing is said. For yes or no the classes are 1 and 0. */
export type ClassWeights = Readonly<Record<number, number>>

/** Weights by which every class counts the same in all: rows ÷ (classes · rows of the class). Pure. */
export function balancedClassWeights (labels: ArrayLike<number>, classes: number): ClassWeights {
  const counts = new Array<number>(classes).fill(0)
  for (let row = 0; row < labels.length; row++) counts[labels[row]!]!++
  return Object.fromEntries(counts.map((count, label) => [label, count === 0 ? 1 : labels.length / (classes * count)]))
}

/** The weight of each row's class. @param target class numbers, one-hot rows, or yes and no @param losses of rows, whose shape the result has */
export function weightsOfClasses (scope: Scope, { target, losses, classes, weights }: { target: Output, losses: Output, classes: number, weights: ClassWeights }): Output {
  const count = Math.max(classes, 2)
  const table = scope.graph.constant({ dtype: 'float32', shape: [count], data: Float32Array.from({ length: count }, (_, label) => weights[label] ?? 1) })
  return scope.op('GatherV2', [table, classNumbers(scope, target, rankOf(losses)), scope.int(0)])
}

/** Of rows, or of rows and steps. */
function classNumbers (scope: Scope, target: Output, rank: number): Output {
  if (rankOf(target) === rank) return scope.cast(target, 'int32')
  if (shapeOf(target).at(-1) === 1) return scope.cast(scope.squeeze(target, [-1]), 'int32')
  return scope.op('ArgMax', [target, scope.int(rank)], { output_type: 'int32' })
}

/** Losses, each times its row's weight. @param weights [N], or [N, T] for losses of steps */
export function weigh (scope: Scope, losses: Output, weights: Output): Output {
  let fitted = weights
  while (rankOf(fitted) < rankOf(losses)) fitted = scope.expandDims(fitted, rankOf(fitted))
  return scope.mul(losses, fitted)
}
