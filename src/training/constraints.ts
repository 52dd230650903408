import type tf from '@tensorflow/tfjs'
import { LoweringError } from '../errors.ts'
import type { Operation, Output, Variable } from '../tensorflow/index.ts'
import { LayerConfig } from './lowering/layer-config.ts'
import { range, type Scope } from './lowering/scope.ts'

/** Keras's `epsilon`: no norm is divided by that is less. */
const EPSILON = 1e-7

/** A weight with what its layer demands of it. */
export interface ConstrainedWeight {
  readonly variable: Variable
  readonly constraint: tf.serialization.Serializable
}

/** Those of a model's weights that gradients reach and that have a constraint. */
export function constrainedWeights (weights: readonly tf.LayerVariable[], variableOf: (weight: tf.LayerVariable) => Variable): ConstrainedWeight[] {
  return weights.flatMap(weight => {
    const { constraint } = weight as unknown as { constraint: tf.serialization.Serializable | null | undefined }
    return constraint == null ? [] : [{ variable: variableOf(weight), constraint }]
  })
}

/**
 * Gives weights back what their constraints demand, after the optimizer changed them: as Keras does. (`tf.layers` forgets about constraints in `fit`.)
 *
 * @param changes the optimizer's operations, which are waited for
 */
export function applyConstraints (scope: Scope, weights: readonly ConstrainedWeight[], changes: readonly Operation[]): Operation[] {
  return weights.map(({ variable, constraint }) => {
    const inner = scope.under(`${variable.name}/constraint`)
    const value = inner.operation('ReadVariableOp', [variable.handle], { dtype: variable.dtype }, changes).output(0)
    return inner.operation('AssignVariableOp', [variable.handle, constrained(inner, value, variable, constraint)], { dtype: variable.dtype })
  })
}

function constrained (scope: Scope, value: Output, { name, shape }: Variable, constraint: tf.serialization.Serializable): Output {
  const kind = constraint.getClassName()
  const config = new LayerConfig(`the constraint of ${name}`, constraint.getConfig())
  const rescaled = (wanted: (norms: Output) => Output): Output => {
    const axis = config.number('axis', 0)
    const norms = scope.op('Sqrt', [scope.sum(scope.mul(value, value), [range(shape.length).at(axis)!], true)])
    return scope.mul(value, scope.div(wanted(norms), scope.add(norms, EPSILON)))
  }
  switch (kind) {
    case 'NonNeg': return scope.op('Relu', [value])
    case 'UnitNorm': return rescaled(norms => scope.op('OnesLike', [norms]))
    case 'MaxNorm': return rescaled(norms => scope.clip(norms, 0, config.number('maxValue')))
    case 'MinMaxNorm': {
      const rate = config.number('rate', 1)
      return rescaled(norms => scope.add(scope.mul(scope.clip(norms, config.number('minValue'), config.number('maxValue')), rate), scope.mul(norms, 1 - rate)))
    }
    default: throw new LoweringError(name, `there is no lowering for its constraint ${kind}; take maxNorm, minMaxNorm, nonNeg or unitNorm`)
  }
}
