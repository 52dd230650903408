import { activate } from './activation-functions.ts'
import type { LayerCall, Lowering } from './layer-call.ts'
import { rankOf } from './scope.ts'
import type { Output } from '../../tensorflow/index.ts'

function lowerReLU ({ config, scope, input }: LayerCall): Output {
  const positive = scope.op('Relu', [input])
  return config.optional('maxValue') === undefined ? positive : scope.op('Minimum', [positive, scope.number(config.number('maxValue'))])
}

/** The slope below zero is learned: one for each element, or one along the shared axes. */
function lowerPReLU ({ scope, input, weight }: LayerCall): Output {
  const negative = scope.op('Relu', [scope.op('Neg', [input])])
  return scope.sub(scope.op('Relu', [input]), scope.mul(negative, weight('alpha')))
}

function lowerThresholdedReLU ({ config, scope, input }: LayerCall): Output {
  const isAbove = scope.op('Greater', [input, scope.number(config.number('theta'))])
  return scope.mul(input, scope.constantForGradients(scope.float(isAbove)))
}

/** Along the last axis; `tf.layers` itself can do no other. */
function lowerSoftmax ({ config, scope, input, madeFromLogits }: LayerCall): Output {
  const last = rankOf(input) - 1
  const axes = config.numbers('axis')
  if (axes.length !== 1 || (axes[0] !== last && axes[0] !== -1)) config.refuse('axis', `softmax is along the last axis here, ${last}; use permute before it and after it`)
  const probabilities = scope.op('Softmax', [input])
  madeFromLogits(probabilities, 'softmax', input)
  return probabilities
}

export const activationLayers: Record<string, Lowering> = {
  Activation: { lower: call => activate(call, call.input), takesHalf: true },
  ReLU: { lower: lowerReLU, takesHalf: true },
  LeakyReLU: { lower: ({ config, scope, input }) => scope.op('LeakyRelu', [input], { alpha: config.number('alpha') }), takesHalf: true },
  PReLU: { lower: lowerPReLU },
  ELU: { lower: ({ scope, input }) => scope.op('Elu', [input]) },
  ThresholdedReLU: { lower: lowerThresholdedReLU },
  Softmax: { lower: lowerSoftmax }
}
