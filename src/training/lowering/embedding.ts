import type { LayerCall, Lowering } from './layer-call.ts'
import { rankOf, type Scope } from './scope.ts'
import type { Output } from '../../tensorflow/index.ts'

/** What an embedding looked up, [rows, steps, size], and the same with the steps first once that was asked for. */
interface Lookup {
  readonly table: Output
  readonly numbers: Output
  stepsFirst?: Output
}

const lookups = new WeakMap<Output, Lookup>()

function lowerEmbedding ({ scope, input, weight }: LayerCall): Output {
  const lookup = { table: weight('embeddings'), numbers: scope.cast(input, 'int32') }
  const found = lookUp(scope, lookup)
  lookups.set(found, lookup)
  return found
}

/** GatherV2 and not Gather: only it has a gradient. On a CPU a number outside the vocabulary fails the run. */
function lookUp (scope: Scope, { table, numbers }: Lookup): Output {
  return scope.op('GatherV2', [table, numbers, scope.int(0)])
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
  lookup.stepsFirst ??= lookUp(scope, { table: lookup.table, numbers: scope.transpose(lookup.numbers, [1, 0]) })
  return lookup.stepsFirst
}

/** Steps whose number is 0 do not count where the layer says `maskZero`. */
function zeroMask ({ config, scope, input }: LayerCall): (Output | undefined)[] {
  return config.flag('maskZero', false) ? [scope.op('NotEqual', [input, scope.op('ZerosLike', [input])])] : []
}

export const embeddingLayers: Record<string, Lowering> = { Embedding: { lower: lowerEmbedding, masks: zeroMask, anyInput: true } }
