import { asChannelsLast, spatialPair, spatialTriple } from './channels.ts'
import type { LayerCall, Lowering } from './layer-call.ts'
import { canPoolAtOnce, maxPool, maxPoolAtOnce, type MaxPooling } from './max-pool.ts'
import type { Output } from '../../tensorflow/index.ts'

type Pool = 'MaxPool' | 'AvgPool' | 'MaxPool3D' | 'AvgPool3D'
type Reduction = 'Max' | 'Mean'

function pool (call: LayerCall, type: Pool, x: Output, size: readonly number[], strides: readonly number[]): Output {
  const { config, scope, layer, isTraining } = call
  const padding = config.choice('padding', ['valid', 'same']) === 'same' ? 'SAME' : 'VALID'
  if (!isTraining || type !== 'MaxPool') return scope.op(type, [x], { ksize: [1, ...size, 1], strides: [1, ...strides, 1], padding })
  // max(relu(x)) is relu(max(x)), and so are their gradients, to the bit: the pool has fewer numbers to compare with 0. What else reads relu(x) still finds it.
  const isPositive = x.operation.type === 'Relu'
  const pooling: MaxPooling = { x: isPositive ? x.operation.inputs()[0]! : x, size: spatialPair(size), strides: spatialPair(strides), padding, isPositive }
  return canPoolAtOnce(scope, layer) ? maxPoolAtOnce(scope, pooling) : maxPool(scope, pooling)
}

function lowerPooling2D (call: LayerCall, type: Pool): Output {
  const size = spatialPair(call.config.numbers('poolSize'))
  const strides = spatialPair(call.config.numbers('strides', size))
  return asChannelsLast(call, x => pool(call, type, x, size, strides))
}

function lowerPooling3D (call: LayerCall, type: Pool): Output {
  const size = spatialTriple(call.config.numbers('poolSize'))
  const strides = spatialTriple(call.config.numbers('strides', size))
  return asChannelsLast(call, x => pool(call, type, x, size, strides))
}

/** Steps as an image one pixel wide. */
function lowerPooling1D (call: LayerCall, type: Pool): Output {
  const { config, scope, input } = call
  const [size = 2] = config.numbers('poolSize')
  const [stride = size] = config.numbers('strides', [size])
  return scope.squeeze(pool(call, type, scope.expandDims(input, 2), [size, 1], [stride, 1]), [2])
}

function lowerGlobalPooling2D ({ config, scope, input }: LayerCall, type: Reduction): Output {
  const isChannelsFirst = config.choice('dataFormat', ['channelsLast', 'channelsFirst'], 'channelsLast') === 'channelsFirst'
  return scope.op(type, [input, scope.ints(isChannelsFirst ? [2, 3] : [1, 2])])
}

function lowerGlobalPooling1D ({ scope, input }: LayerCall, type: Reduction): Output {
  return scope.op(type, [input, scope.ints([1])])
}

export const poolingLayers: Record<string, Lowering> = {
  MaxPooling1D: { lower: call => lowerPooling1D(call, 'MaxPool'), takesHalf: true },
  MaxPooling2D: { lower: call => lowerPooling2D(call, 'MaxPool'), takesHalf: true },
  MaxPooling3D: { lower: call => lowerPooling3D(call, 'MaxPool3D') },
  AveragePooling1D: { lower: call => lowerPooling1D(call, 'AvgPool') },
  AveragePooling2D: { lower: call => lowerPooling2D(call, 'AvgPool') },
  AveragePooling3D: { lower: call => lowerPooling3D(call, 'AvgPool3D') },
  GlobalMaxPooling1D: { lower: call => lowerGlobalPooling1D(call, 'Max') },
  GlobalMaxPooling2D: { lower: call => lowerGlobalPooling2D(call, 'Max') },
  GlobalAveragePooling1D: { lower: call => lowerGlobalPooling1D(call, 'Mean') },
  GlobalAveragePooling2D: { lower: call => lowerGlobalPooling2D(call, 'Mean') }
}
