import type { Attributes, Output } from '../../tensorflow/index.ts'
import { withGradient } from '../gradients.ts'
import { activate } from './activation-functions.ts'
import { asChannelsLast, spatialTriple } from './channels.ts'
import type { LayerCall, Lowering } from './layer-call.ts'

/** Strides and padding of a layer, as TensorFlow's operations have them. */
function attributesOf ({ config }: LayerCall): Attributes {
  if (config.numbers('dilationRate', [1]).some(rate => rate !== 1)) config.refuse('dilationRate', 'TensorFlow knows none for volumes on a CPU')
  return { strides: [1, ...spatialTriple(config.numbers('strides')), 1], padding: config.choice('padding', ['valid', 'same']) === 'same' ? 'SAME' : 'VALID' }
}

function finish (call: LayerCall, y: Output): Output {
  return call.config.flag('useBias') ? call.scope.op('BiasAdd', [y, call.weight('bias')]) : y
}

/** TensorFlow's C++ knows no gradient of Conv3D: these are the ones that its Python registers. */
function lowerConv3D (call: LayerCall): Output {
  const { scope, weight } = call
  const attributes = attributesOf(call)
  return activate(call, asChannelsLast(call, x => {
    const kernel = weight('kernel')
    const [y] = withGradient(scope, [x, kernel], [scope.op('Conv3D', [x, kernel], attributes)], ([dy]) => [
      scope.op('Conv3DBackpropInputV2', [scope.op('Shape', [x]), kernel, dy!], attributes),
      scope.op('Conv3DBackpropFilterV2', [x, scope.op('Shape', [kernel]), dy!], attributes)
    ])
    return finish(call, y!)
  }))
}

/** What Conv3D's gradient is to its input. */
function lowerConv3DTranspose (call: LayerCall): Output {
  const { config, scope, weight } = call
  const attributes = attributesOf(call)
  const strides = spatialTriple(config.numbers('strides'))
  const size = spatialTriple(config.numbers('kernelSize'))
  return activate(call, asChannelsLast(call, x => {
    const kernel = weight('kernel')
    const [rows, ...sides] = scope.dimensions(x)
    const grown = strides.map((stride, axis) => {
      const side = sides[axis]!
      if (typeof side !== 'number') return config.refuse('strides', 'give the model a fixed input size')
      return side * stride + (attributes['padding'] === 'SAME' ? 0 : Math.max(size[axis]! - stride, 0))
    })
    const target = scope.shape([rows!, ...grown, config.number('filters')])
    const [y] = withGradient(scope, [x, kernel], [scope.op('Conv3DBackpropInputV2', [target, kernel, x], attributes)], ([dy]) => [
      scope.op('Conv3D', [dy!, kernel], attributes),
      scope.op('Conv3DBackpropFilterV2', [dy!, scope.op('Shape', [kernel]), x], attributes)
    ])
    return finish(call, y!)
  }))
}

export const volumeConvolutionLayers: Record<string, Lowering> = {
  Conv3D: { lower: lowerConv3D },
  Conv3DTranspose: { lower: lowerConv3DTranspose }
}
