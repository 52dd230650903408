import type tf from '@tensorflow/tfjs'
import type { LayerCall, Lowering, Masked } from './layer-call.ts'
import type { Output } from '../../tensorflow/index.ts'

type MergeMode = 'concat' | 'sum' | 'ave' | 'mul'

/** The layer forwards and a twin of it backwards; states, given or returned, are those of the first followed by those of the second. */
function lowerBidirectional (call: LayerCall): readonly Output[] {
  const { layer, inputs, input, masks, scope } = call
  const { forwardLayer, backwardLayer } = layer as unknown as { forwardLayer: tf.layers.Layer, backwardLayer: tf.layers.Layer }
  const states = inputs.slice(1)
  const half = states.length / 2
  const run = (inner: tf.layers.Layer, given: readonly Output[]): Output[] =>
    call.lower(inner, [{ output: input, mask: masks[0] }, ...given.map(output => ({ output }))]).map(({ output }) => output)
  const [y, ...forward] = run(forwardLayer, states.slice(0, half))
  const [z, ...backward] = run(backwardLayer, states.slice(half))
  const { returnSequences } = layer as unknown as { returnSequences: boolean }
  return [...merge(call, y!, returnSequences ? scope.op('ReverseV2', [z!, scope.ints([1])]) : z!), ...forward, ...backward]
}

/** @returns both where the layer does not merge them */
function merge ({ config, scope }: LayerCall, y: Output, z: Output): Output[] {
  if (config.optional('mergeMode') === undefined) return [y, z]
  const mode = config.choice<MergeMode>('mergeMode', ['concat', 'sum', 'ave', 'mul'])
  switch (mode) {
    case 'concat': return [scope.op('ConcatV2', [[y, z], scope.int(-1)])]
    case 'sum': return [scope.add(y, z)]
    case 'ave': return [scope.mul(scope.add(y, z), 0.5)]
    case 'mul': return [scope.mul(y, z)]
  }
}

function bidirectionalMasks ({ config, layer, masks: [mask] }: LayerCall): (Output | undefined)[] {
  const { returnSequences } = layer as unknown as { returnSequences: boolean }
  if (!returnSequences) return []
  return config.optional('mergeMode') === undefined ? [mask, mask] : [mask]
}

/** Steps become rows for the inner layer and steps again after it: the same layer at each step. */
function lowerTimeDistributed (call: LayerCall): Output {
  const { layer, input, scope } = call
  const { layer: inner } = layer as unknown as { layer: tf.layers.Layer }
  const [rows, steps, ...features] = scope.dimensions(input)
  const folded: Masked = { output: scope.reshape(input, [-1, ...features]) }
  const [{ output }] = call.lower(inner, [folded]) as [Masked]
  return scope.reshape(output, [rows!, steps!, ...scope.dimensions(output).slice(1)])
}

export const wrapperLayers: Record<string, Lowering> = {
  Bidirectional: { lower: lowerBidirectional, masks: bidirectionalMasks },
  TimeDistributed: { lower: lowerTimeDistributed }
}
