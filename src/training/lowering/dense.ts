import { activate } from './activation-functions.ts'
import type { LayerCall, Lowering } from './layer-call.ts'
import { rankOf, shapeOf, type Scope } from './scope.ts'
import type { Output } from '../../tensorflow/index.ts'

function lowerDense (call: LayerCall): Output {
  const { config, scope, input, weight } = call
  const product = multiplyLastAxis(scope, input, weight('kernel'))
  return activate(call, config.flag('useBias') ? scope.op('BiasAdd', [product, weight('bias')]) : product)
}

/** [..., C] times [C, units]. TensorFlow multiplies matrices, so more axes are folded into rows and unfolded after. */
export function multiplyLastAxis (scope: Scope, x: Output, kernel: Output): Output {
  if (rankOf(x) === 2) return scope.op('MatMul', [x, kernel])
  const dimensions = scope.dimensions(x)
  const rows = scope.reshape(x, [-1, dimensions.at(-1)!])
  return scope.reshape(scope.op('MatMul', [rows, kernel]), [...dimensions.slice(0, -1), shapeOf(kernel)[1]!])
}

export const denseLayers: Record<string, Lowering> = { Dense: { lower: lowerDense, takesHalf: true } }
