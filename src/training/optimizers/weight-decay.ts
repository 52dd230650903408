import type { Variable } from '../../tensorflow/index.ts'
import type { Optimizer } from './optimizer.ts'

export interface WeightDecayOptions {
  /** The part of a weight, times the learning rate, that it loses each step. */
  readonly weightDecay: number
  /** Which weights decay; default: those of two dimensions and more, so neither biases nor the weights of normalizations. */
  readonly decays?: (variable: Variable) => boolean
}

/** Gives any optimizer decoupled weight decay: weights shrink before each step, whatever their gradient. */
export function withWeightDecay (optimizer: Optimizer, { weightDecay, decays = isMatrix }: WeightDecayOptions): Optimizer {
  return {
    name: optimizer.name,
    learningRate: optimizer.learningRate,
    begin: shared => {
      const apply = optimizer.begin(shared)
      const rate = shared.scope.mul(shared.learningRate, weightDecay)
      return step => {
        if (!decays(step.variable)) return apply(step)
        const { scope, variable, gradient, after } = step
        // After the gradient, so that nobody needs the old value any more and the variable is changed where it lies.
        const decay = scope.operation('AssignSubVariableOp', [variable.handle, scope.mul(variable.read(), rate)], { dtype: variable.dtype }, [gradient.operation, ...after])
        return apply({ ...step, after: [decay] })
      }
    }
  }
}

function isMatrix ({ shape }: Variable): boolean {
  return shape.length > 1
}
