import type { LearningRateOption, Optimizer } from './optimizer.ts'

export interface AdagradOptions extends LearningRateOption {
  /** What the sum of squares begins with; default 0.1. */
  readonly initialAccumulator?: number
  /** Default 1e-7. */
  readonly epsilon?: number
}

/** Adagrad on TensorFlow's kernel: steps get smaller with all that was learned before. The result of `tf.train.adagrad`. */
export function adagrad ({ learningRate = 0.001, initialAccumulator = 0.1, epsilon = 1e-7 }: AdagradOptions = {}): Optimizer {
  return {
    name: 'adagrad',
    learningRate,
    begin: ({ scope, learningRate }) => {
      const small = scope.number(epsilon)
      return ({ scope, variable, gradient, slot, after }) =>
        scope.operation('ResourceApplyAdagradV2', [variable.handle, slot('squares', initialAccumulator).handle, learningRate, small, gradient], {}, after)
    }
  }
}

export interface AdadeltaOptions extends LearningRateOption {
  /** How much of the mean squares is kept each step; default 0.95. */
  readonly rho?: number
  /** Default 1e-7. */
  readonly epsilon?: number
}

/**
 * Adadelta on TensorFlow's kernel, as in the paper and in Keras: steps of the size of the last ones. (`tf.train.adadelta` leaves the present
 * gradient out of the mean square, and diverges.)
 *
 * @see https://arxiv.org/abs/1212.5701
 */
export function adadelta ({ learningRate = 0.001, rho = 0.95, epsilon = 1e-7 }: AdadeltaOptions = {}): Optimizer {
  return {
    name: 'adadelta',
    learningRate,
    begin: ({ scope, learningRate }) => {
      const numbers = [learningRate, scope.number(rho), scope.number(epsilon)]
      return ({ scope, variable, gradient, slot, after }) =>
        scope.operation('ResourceApplyAdadelta', [variable.handle, slot('square').handle, slot('change').handle, ...numbers, gradient], {}, after)
    }
  }
}
