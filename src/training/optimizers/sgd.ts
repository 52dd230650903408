import type { LearningRateOption, Optimizer } from './optimizer.ts'

export interface SgdOptions extends LearningRateOption {
  /** 0: none. */
  readonly momentum?: number
  readonly nesterov?: boolean
}

/** Gradient descent, with momentum if wanted: the result of `tf.train.sgd` and `tf.train.momentum`. */
export function sgd ({ learningRate = 0.01, momentum = 0, nesterov = false }: SgdOptions = {}): Optimizer {
  return {
    name: momentum === 0 ? 'sgd' : 'momentum',
    learningRate,
    begin: ({ scope, learningRate }) => {
      const share = scope.number(momentum)
      return ({ scope, variable, gradient, slot, after }) => momentum === 0
        ? scope.operation('ResourceApplyGradientDescent', [variable.handle, learningRate, gradient], {}, after)
        : scope.operation('ResourceApplyMomentum', [variable.handle, slot('momentum').handle, learningRate, gradient, share], { use_nesterov: nesterov }, after)
    }
  }
}
