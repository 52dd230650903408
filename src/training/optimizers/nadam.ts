import type { Output } from '../../tensorflow/index.ts'
import { powerOfStep, type AdamOptions } from './adam.ts'
import type { Optimizer, SharedStep } from './optimizer.ts'

/** How quickly the momentum of the first steps grows to β₁, from the paper. */
const WARM_UP = 0.96

/**
 * Adam with Nesterov's momentum, which grows over the first steps, as in Keras. TensorFlow has no kernel with that growth, so it is written in
 * single operations.
 *
 * @see https://cs229.stanford.edu/proj2015/054_report.pdf
 */
export function nadam ({ learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 }: Omit<AdamOptions, 'amsgrad'> = {}): Optimizer {
  return {
    name: 'nadam',
    learningRate,
    begin: shared => {
      const { scope, learningRate } = shared
      const now = momentumAt(shared, beta1, shared.step)
      const next = momentumAt(shared, beta1, scope.add(shared.step, 1))
      const kept = shared.scalarSlot('momentum_product', 1)
      const product = scope.mul(kept.read(), now)
      const keep = kept.assign(product)
      const ofMoment = scope.div(next, scope.sub(1, scope.mul(product, next)))
      const ofGradient = scope.div(scope.sub(1, now), scope.sub(1, product))
      const unbias = scope.sub(1, powerOfStep(shared, beta2))
      return ({ scope, variable, gradient, slot, after }) => {
        const [m, v] = [slot('m'), slot('v')]
        const mean = scope.add(scope.mul(m.read(), beta1), scope.mul(gradient, 1 - beta1))
        const square = scope.add(scope.mul(v.read(), beta2), scope.mul(scope.op('Square', [gradient]), 1 - beta2))
        const ahead = scope.add(scope.mul(mean, ofMoment), scope.mul(gradient, ofGradient))
        const spread = scope.add(scope.op('Sqrt', [scope.div(square, unbias)]), epsilon)
        const change = scope.mul(scope.div(ahead, spread), learningRate)
        return scope.operation('AssignSubVariableOp', [variable.handle, change], { dtype: variable.dtype }, [...after, m.assign(mean), v.assign(square), keep])
      }
    }
  }
}

/** β₁ · (1 − 0.5 · 0.96ᵗ) */
function momentumAt ({ scope }: SharedStep, beta1: number, step: Output): Output {
  return scope.mul(scope.sub(1, scope.mul(scope.op('Pow', [scope.number(WARM_UP), step]), 0.5)), beta1)
}
