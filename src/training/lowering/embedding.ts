import type { LayerCall, Lowering } from './layer-call.ts'
import { rankOf, shapeOf, type Scope } from './scope.ts'
import { withGradient } from '../gradients.ts'
import { hasCustomOperations, type Output } from '../../tensorflow/index.ts'

/** What an embedding looked up, [rows, steps, size], and the same with the steps first once that was asked for. */
interface Lookup {
  readonly table: Output
  readonly numbers: Output
  readonly isTraining: boolean
  stepsFirst?: Output
}

const lookups = new WeakMap<Output, Lookup>()

function lowerEmbedding ({ scope, input, isTraining, weight }: LayerCall): Output {
  const lookup = { table: weight('embeddings'), numbers: scope.cast(input, 'int32'), isTraining }
  const found = lookUp(scope, lookup)
  lookups.set(found, lookup)
  return found
}

/** On a CPU a number outside the vocabulary fails the run. */
function lookUp (scope: Scope, { table, numbers, isTraining }: Lookup): Output {
  const found = scope.op('GatherV2', [table, numbers, scope.int(0)])
  if (!isTraining) return found
  const [trained] = withGradient(scope, [table], [found], ([incoming]) => [incoming && sumByNumber(scope, incoming, numbers, shapeOf(table))])
  return trained!
}

/**
 * The gradient of a table, in float32: `ScatterNd` takes two thirds of the time of the `UnsortedSegmentSum` that TensorFlow would put there (12 800 rows of 100, 2 cores),
 * tensorport's own operation, where there is one, a quarter of that.
 */
function sumByNumber (scope: Scope, incoming: Output, numbers: Output, shape: readonly number[]): Output {
  if (!hasCustomOperations()) return scope.op('ScatterNd', [scope.expandDims(numbers, -1), incoming, scope.ints(shape)])
  const rows = scope.reshape(incoming, [-1, shape[1]!])
  return scope.op('EnsureShape', [scope.op('TensorportSegmentSum', [rows, numbers, scope.int(shape[0]!)])], { shape })
}

/**
 * The steps of an embedding looked up in the order in which a recurrent layer walks along them: its numbers are turned in place of what they stand for, and the
 * gradients of that. All who ask share it, since each lookup has a gradient of the table's size.
 *
 * @returns [steps, rows, size]; undefined if `x` is not, as it is, what an embedding of [rows, steps] gave
 */
export function embeddingStepsFirst (scope: Scope, x: Output): Output | undefined {
  const lookup = lookups.get(x)
  if (lookup === undefined || rankOf(lookup.numbers) !== 2) return undefined
  lookup.stepsFirst ??= lookUp(scope, { ...lookup, numbers: scope.transpose(lookup.numbers, [1, 0]) })
  return lookup.stepsFirst
}

/** Steps whose number is 0 do not count where the layer says `maskZero`. */
function zeroMask ({ config, scope, input }: LayerCall): (Output | undefined)[] {
  return config.flag('maskZero', false) ? [scope.op('NotEqual', [input, scope.op('ZerosLike', [input])])] : []
}

export const embeddingLayers: Record<string, Lowering> = { Embedding: { lower: lowerEmbedding, masks: zeroMask, anyInput: true } }
