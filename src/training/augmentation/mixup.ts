import type { Output } from '../../tensorflow/index.ts'
import { rankOf, type Scope } from '../lowering/scope.ts'
import { perRow, type Augmentation } from './augmentation.ts'

/**
 * Lays each picture over the one before it in the batch, and mixes their targets in the same proportion, which is drawn from Beta(α, α) for
 * each row. Targets have to be one-hot rows or other numbers that can be mixed, not class numbers.
 *
 * @param alpha over 0; the smaller, the less is mixed
 * @see https://arxiv.org/abs/1710.09412
 */
export function mixup (alpha = 0.2): Augmentation {
  if (!(alpha > 0)) throw new RangeError(`Expected a number over 0 for mixup but received ${alpha}`)
  return ({ scope, pictures, targets, randomSeed }) => {
    const whole = targets.find(({ dtype }) => dtype !== 'float32')
    if (whole !== undefined) throw new RangeError('Expected targets that can be mixed for mixup, as one-hot rows are, but received class numbers: take the loss categoricalCrossentropy')
    const gamma = (): Output => scope.op('StatelessRandomGammaV2', [scope.shape([scope.side(pictures, 0)]), randomSeed(), scope.op('Fill', [scope.shape([scope.side(pictures, 0)]), scope.number(alpha)])])
    const [own, other] = [gamma(), gamma()]
    const share = scope.div(own, scope.op('Maximum', [scope.add(own, other), scope.number(1e-30)]))
    return { pictures: mix(scope, pictures, share), targets: targets.map(target => mix(scope, target, share)) }
  }
}

/** Rows with those before them, the first with the last. @param share of the row itself, float32 [N] */
function mix (scope: Scope, rows: Output, share: Output): Output {
  const before = scope.op('Roll', [rows, scope.int(1), scope.int(0)])
  return scope.add(before, scope.mul(scope.sub(rows, before), perRow(scope, share, rankOf(rows))))
}
