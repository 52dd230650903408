import type { Output } from '../../tensorflow/index.ts'
import type { LearningRateOption, Optimizer, SharedStep } from './optimizer.ts'
import { withWeightDecay, type WeightDecayOptions } from './weight-decay.ts'

export interface AdamOptions extends LearningRateOption {
  /** Default 0.9. */
  readonly beta1?: number
  /** Default 0.999. */
  readonly beta2?: number
  /** Default 1e-7. */
  readonly epsilon?: number
  /** Divides by the largest second moment so far, so that steps never grow again. */
  readonly amsgrad?: boolean
}

/**
 * Adam on TensorFlow's kernel, with the defaults and the result of `tf.train.adam`.
 *
 * @see https://arxiv.org/abs/1412.6980
 */
export function adam ({ learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, amsgrad = false }: AdamOptions = {}): Optimizer {
  return {
    name: 'adam',
    learningRate,
    begin: shared => {
      const { scope, learningRate } = shared
      const [power1, power2] = [powerOfStep(shared, beta1), powerOfStep(shared, beta2)]
      // The kernel adds epsilon to √v where the paper, and tfjs, add it to √(v ÷ (1 − β₂ᵗ)): the same once it is scaled alike.
      const scaledEpsilon = scope.mul(scope.op('Sqrt', [scope.sub(1, power2)]), epsilon)
      const numbers = [power1, power2, learningRate, scope.number(beta1), scope.number(beta2), scaledEpsilon]
      return ({ scope, variable, gradient, slot, after }) => amsgrad
        ? scope.operation('ResourceApplyAdamWithAmsgrad', [variable.handle, slot('m').handle, slot('v').handle, slot('vhat').handle, ...numbers, gradient], {}, after)
        : scope.operation('ResourceApplyAdam', [variable.handle, slot('m').handle, slot('v').handle, ...numbers, gradient], {}, after)
    }
  }
}

/**
 * Adam with decoupled weight decay. Defaults as in Keras, but that biases and the weights of normalizations do not decay.
 *
 * @see https://arxiv.org/abs/1711.05101
 */
export function adamW ({ weightDecay = 0.004, decays, ...options }: AdamOptions & Partial<WeightDecayOptions> = {}): Optimizer {
  return withWeightDecay(adam(options), { weightDecay, ...(decays !== undefined && { decays }) })
}

/** βᵗ, a scalar. */
export function powerOfStep ({ scope, step }: SharedStep, beta: number): Output {
  return scope.op('Pow', [scope.number(beta), step])
}
