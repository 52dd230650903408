import type { LearningRateOption, Optimizer } from './optimizer.ts'

export interface RmspropOptions extends LearningRateOption {
  /** How much of the mean square is kept each step; default 0.9. */
  readonly decay?: number
  /** 0: none. */
  readonly momentum?: number
  /** Default 1e-7. */
  readonly epsilon?: number
  /** Divides by the deviation instead of the mean square. */
  readonly centered?: boolean
}

/** RMSProp on TensorFlow's kernels: the result of `tf.train.rmsprop`; centered as in Keras, as `tf.train.rmsprop` takes epsilon the wrong way then. */
export function rmsprop ({ learningRate = 0.001, decay = 0.9, momentum = 0, epsilon = 1e-7, centered = false }: RmspropOptions = {}): Optimizer {
  return {
    name: 'rmsprop',
    learningRate,
    begin: ({ scope, learningRate }) => {
      const numbers = [learningRate, scope.number(decay), scope.number(momentum), scope.number(epsilon)]
      return ({ scope, variable, gradient, slot, after }) => {
        const moments = [slot('square').handle, slot('momentum').handle]
        return centered
          ? scope.operation('ResourceApplyCenteredRMSProp', [variable.handle, slot('mean').handle, ...moments, ...numbers, gradient], {}, after)
          : scope.operation('ResourceApplyRMSProp', [variable.handle, ...moments, ...numbers, gradient], {}, after)
      }
    }
  }
}
