import { activate } from './activation-functions.ts'
import { asChannelsLast, spatialPair } from './channels.ts'
import { dilated } from './dilation.ts'
import type { LayerCall, Lowering } from './layer-call.ts'
import type { Attributes, Output } from '../../tensorflow/index.ts'

const PADDING = { same: 'SAME', valid: 'VALID' } as const

export function padding ({ config }: LayerCall): 'SAME' | 'VALID' {
  return PADDING[config.choice('padding', ['valid', 'same'])]
}

function withBias ({ config, scope, weight }: LayerCall, x: Output): Output {
  return config.flag('useBias') ? scope.op('BiasAdd', [x, weight('bias')]) : x
}

type Pair = readonly [height: number, width: number]

interface Geometry {
  kernel: Pair
  strides: Pair
  rates: Pair
  /** Default: what the layer says. */
  padding?: 'SAME' | 'VALID'
}

/** Runs a convolution as the layer's padding, strides and dilation say. */
function convolve (call: LayerCall, x: Output, { kernel, strides, rates, padding: own = padding(call) }: Geometry, operation: (x: Output, attributes: Attributes) => Output): Output {
  if (rates.every(rate => rate === 1)) return operation(x, { strides: [1, ...strides, 1], padding: own })
  return dilated(call, x, { rates, kernel, isSame: own === 'SAME' }, gathered => operation(gathered, { strides: [1, 1, 1, 1], padding: 'VALID' }))
}

function geometry2D ({ config }: LayerCall): Geometry {
  return {
    kernel: spatialPair(config.numbers('kernelSize')),
    strides: spatialPair(config.numbers('strides')),
    rates: spatialPair(config.numbers('dilationRate', [1]))
  }
}

function lowerConv2D (call: LayerCall): Output {
  const { scope, weight } = call
  const y = asChannelsLast(call, image =>
    withBias(call, convolve(call, image, geometry2D(call), (x, attributes) => scope.op('Conv2D', [x, weight('kernel')], attributes))))
  return activate(call, y)
}

/** A convolution over images one pixel high. A causal one sees nothing of later steps: `tf.layers` knows the word, and does not compute it. */
function lowerConv1D (call: LayerCall): Output {
  const { config, scope, input, weight } = call
  const along = (option: string): Pair => [1, config.numbers(option, [1])[0]!]
  const geometry = { kernel: along('kernelSize'), strides: along('strides'), rates: along('dilationRate') }
  const kernel = scope.expandDims(weight('kernel'), 0)
  const isCausal = config.choice('padding', ['valid', 'same', 'causal']) === 'causal'
  const before = (geometry.kernel[1] - 1) * geometry.rates[1]
  const image = scope.expandDims(isCausal ? scope.op('Pad', [input, scope.graph.constant({ dtype: 'int32', shape: [3, 2], data: Int32Array.of(0, 0, before, 0, 0, 0) })]) : input, 1)
  const y = convolve(call, image, { ...geometry, ...(isCausal && { padding: 'VALID' }) }, (x, attributes) => scope.op('Conv2D', [x, kernel], attributes))
  return activate(call, withBias(call, scope.squeeze(y, [1])))
}

function lowerConv2DTranspose (call: LayerCall): Output {
  const { config, scope, weight } = call
  const strides = spatialPair(config.numbers('strides'))
  const kernel = spatialPair(config.numbers('kernelSize'))
  const isSame = padding(call) === 'SAME'
  const y = asChannelsLast(call, x => {
    const [rows, ...sides] = scope.dimensions(x)
    const grown = strides.map((stride, axis) => {
      const side = sides[axis]!
      if (typeof side !== 'number') return config.refuse('strides', 'give the model a fixed input size')
      return side * stride + (isSame ? 0 : Math.max(kernel[axis]! - stride, 0))
    })
    const target = scope.shape([rows!, ...grown, config.number('filters')])
    return withBias(call, scope.op('Conv2DBackpropInput', [target, weight('kernel'), x], { strides: [1, ...strides, 1], padding: padding(call) }))
  })
  return activate(call, y)
}

function depthwise (call: LayerCall, image: Output): Output {
  const { config, scope, weight } = call
  const geometry = geometry2D(call)
  if (geometry.strides[0] !== geometry.strides[1]) config.refuse('strides', 'TensorFlow\'s depthwise convolution wants the same stride on both sides')
  return convolve(call, image, geometry, (x, attributes) => scope.op('DepthwiseConv2dNative', [x, weight('depthwise_kernel')], attributes))
}

function lowerDepthwiseConv2D (call: LayerCall): Output {
  const isDilated = call.config.numbers('dilationRate', [1]).some(rate => rate !== 1)
  if (isDilated) call.config.refuse('dilationRate', 'tf.layers itself does not heed it in this layer; use separableConv2d')
  return activate(call, asChannelsLast(call, x => withBias(call, depthwise(call, x))))
}

function lowerSeparableConv2D (call: LayerCall): Output {
  const { scope, weight } = call
  return activate(call, asChannelsLast(call, x => {
    const mixed = scope.op('Conv2D', [depthwise(call, x), weight('pointwise_kernel')], { strides: [1, 1, 1, 1], padding: 'VALID' })
    return withBias(call, mixed)
  }))
}

export const convolutionLayers: Record<string, Lowering> = {
  Conv1D: { lower: lowerConv1D, takesHalf: true },
  Conv2D: { lower: lowerConv2D, takesHalf: true },
  Conv2DTranspose: { lower: lowerConv2DTranspose },
  DepthwiseConv2D: { lower: lowerDepthwiseConv2D, takesHalf: true },
  SeparableConv2D: { lower: lowerSeparableConv2D, takesHalf: true }
}
