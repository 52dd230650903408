import type { LayerCall, Lowering } from './layer-call.ts'
import type { Output } from '../../tensorflow/index.ts'

/** GatherV2 and not Gather: only it has a gradient. On a CPU a number outside the vocabulary fails the run. */
function lowerEmbedding ({ scope, input, weight }: LayerCall): Output {
  return scope.op('GatherV2', [weight('embeddings'), scope.cast(input, 'int32'), scope.int(0)])
}

/** Steps whose number is 0 do not count where the layer says `maskZero`. */
function zeroMask ({ config, scope, input }: LayerCall): (Output | undefined)[] {
  return config.flag('maskZero', false) ? [scope.op('NotEqual', [input, scope.op('ZerosLike', [input])])] : []
}

export const embeddingLayers: Record<string, Lowering> = { Embedding: { lower: lowerEmbedding, masks: zeroMask, anyInput: true } }
