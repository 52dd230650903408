import type { LayerCall } from './layer-call.ts'
import type { LayerConfig } from './layer-config.ts'
import type { Scope } from './scope.ts'
import type { Output } from '../../tensorflow/index.ts'

export type Activation = (scope: Scope, x: Output) => Output

/** `tf.layers`' activations by the names that layers carry. @see @tensorflow/tfjs-layers activations.ts */
const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  linear: (_scope, x) => x,
  relu: (scope, x) => scope.op('Relu', [x]),
  relu6: (scope, x) => scope.op('Relu6', [x]),
  elu: (scope, x) => scope.op('Elu', [x]),
  selu: (scope, x) => scope.op('Selu', [x]),
  sigmoid: (scope, x) => scope.op('Sigmoid', [x]),
  hardSigmoid: (scope, x) => scope.clip(scope.add(scope.mul(x, 0.2), 0.5), 0, 1),
  softplus: (scope, x) => scope.op('Softplus', [x]),
  softsign: (scope, x) => scope.op('Softsign', [x]),
  tanh: (scope, x) => scope.op('Tanh', [x]),
  softmax: (scope, x) => scope.op('Softmax', [x]),
  logSoftmax: (scope, x) => scope.op('LogSoftmax', [x]),
  gelu: (scope, x) => scope.mul(x, scope.mul(scope.add(scope.op('Erf', [scope.mul(x, Math.SQRT1_2)]), 1), 0.5)),
  gelu_new: (scope, x) => {
    const inner = scope.add(x, scope.mul(scope.mul(scope.op('Square', [x]), x), 0.044715))
    return scope.mul(scope.mul(x, scope.add(scope.op('Tanh', [scope.mul(inner, Math.sqrt(2 / Math.PI))]), 1)), 0.5)
  },
  mish: (scope, x) => scope.mul(x, scope.op('Tanh', [scope.op('Softplus', [x])])),
  swish: (scope, x) => scope.mul(scope.op('Sigmoid', [x]), x)
}

/** The activation that a layer names in one of its options. @throws LoweringError for one of another name */
export function activationOf (config: LayerConfig, option: string): Activation {
  const activation = ACTIVATIONS[config.text(option, 'linear')]
  return activation ?? config.refuse(option, `use one of ${Object.keys(ACTIVATIONS).join(', ')}`)
}

/** Applies the activation that a layer names in its options. */
export function activate (call: LayerCall, x: Output): Output {
  const name = call.config.text('activation', 'linear')
  const y = activationOf(call.config, 'activation')(call.scope, x)
  if (name === 'softmax' || name === 'sigmoid') call.madeFromLogits(y, name, x)
  return y
}
