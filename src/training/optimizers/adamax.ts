import { powerOfStep, type AdamOptions } from './adam.ts'
import type { Optimizer } from './optimizer.ts'

/** Adam by the largest gradient so far instead of the mean square: the result of `tf.train.adamax`. @see https://arxiv.org/abs/1412.6980 */
export function adamax ({ learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 }: Omit<AdamOptions, 'amsgrad'> = {}): Optimizer {
  return {
    name: 'adamax',
    learningRate,
    begin: shared => {
      const { scope, learningRate } = shared
      const numbers = [powerOfStep(shared, beta1), learningRate, scope.number(beta1), scope.number(beta2), scope.number(epsilon)]
      return ({ scope, variable, gradient, slot, after }) =>
        scope.operation('ResourceApplyAdaMax', [variable.handle, slot('m').handle, slot('v').handle, ...numbers, gradient], {}, after)
    }
  }
}
