import type { Operation, Output, Variable } from '../tensorflow/index.ts'
import type { Scope } from './lowering/scope.ts'

export interface LossScaleOptions {
  /** What the loss is multiplied with at first; default 2¹⁵. */
  readonly initial?: number
  /** After so many steps without an overflow the scale doubles; default 2000. */
  readonly growthSteps?: number
}

/** What the loss is scaled by is never more, or less. */
const [LEAST, MOST] = [1, 2 ** 24]

export interface LossScale {
  /** The loss whose gradients are to be taken. */
  readonly scaled: Output
  /** Those gradients as they are without the scale, to update weights with: where one overflowed, whatever depends on them is not run. */
  readonly unscale: (gradients: readonly Output[]) => Unscaled
}

interface Unscaled {
  readonly gradients: readonly Output[]
  /** To run with every step: the scale is halved where a gradient overflowed, and doubled after a while where none did. */
  readonly updates: readonly Operation[]
}

/**
 * Keeps small gradients from becoming 0 in float16, whose least number is 6·10⁻⁸, and leaves out steps in which large ones become infinite.
 *
 * @param slotOf makes a scalar variable that is saved with the optimizer's
 * @see https://arxiv.org/abs/1710.03740, section 3.2
 */
export function scaleLoss (scope: Scope, loss: Output, slotOf: (name: string, initial: number) => Variable, { initial = 2 ** 15, growthSteps = 2000 }: LossScaleOptions): LossScale {
  const [kept, quiet] = [slotOf('loss_scale', initial), slotOf('loss_scale_steps', 0)]
  const scale = kept.read()
  return {
    scaled: scope.mul(loss, scale),
    unscale: gradients => {
      const plain = gradients.map(gradient => scope.div(gradient, scale))
      const finite = plain.map(gradient => allOf(scope, scope.op('IsFinite', [gradient]))).reduce((a, b) => scope.op('LogicalAnd', [a, b]))
      const steps = scope.add(quiet.read(), 1)
      const isGrown = scope.op('GreaterEqual', [steps, scope.number(growthSteps)])
      const grown = scope.op('SelectV2', [isGrown, scope.clip(scope.mul(scale, 2), LEAST, MOST), scale])
      const halved = scope.clip(scope.mul(scale, 0.5), LEAST, MOST)
      const assign = (variable: Variable, value: Output): Operation => scope.operation('AssignVariableOp', [variable.handle, value], { dtype: variable.dtype })
      return {
        gradients: plain.map(gradient => scope.operation('Switch', [gradient, finite]).output(1)),
        updates: [
          assign(kept, scope.op('SelectV2', [finite, grown, halved])),
          assign(quiet, scope.op('SelectV2', [scope.op('LogicalAnd', [finite, scope.op('LogicalNot', [isGrown])]), steps, scope.number(0)]))
        ]
      }
    }
  }
}

function allOf (scope: Scope, x: Output): Output {
  return scope.op('All', [scope.op('Reshape', [x, scope.ints([-1])]), scope.ints([0])])
}
