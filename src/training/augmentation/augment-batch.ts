import type { Output } from '../../tensorflow/index.ts'
import { rankOf, type Scope } from '../lowering/scope.ts'
import type { Augmentation, AugmentedBatch } from './augmentation.ts'

export interface AugmentBatchOptions {
  readonly augment: readonly Augmentation[]
  /** The model's, one of them pictures: [N, H, W, C]. */
  readonly inputs: readonly Output[]
  readonly targets: readonly Output[]
  /** int64 scalar: so that each step has other numbers. */
  readonly step: Output
  /** A seed for each random operation. */
  readonly seedOfUse: (use: number) => number
}

/**
 * Adds the augmentations, one after another, between what is fed and what is learned from.
 *
 * @returns inputs and targets to learn from
 * @throws RangeError if there is not one input of pictures, or an augmentation does not suit it
 */
export function augmentBatch (scope: Scope, { augment, inputs, targets, step, seedOfUse }: AugmentBatchOptions): { readonly inputs: readonly Output[], readonly targets: readonly Output[] } {
  if (augment.length === 0) return { inputs, targets }
  const [place, another] = inputs.flatMap((input, index) => rankOf(input) === 4 ? [index] : [])
  if (place === undefined || another !== undefined) throw new RangeError('Expected one input of pictures, [rows, height, width, channels], for augmentation')
  const rows = scope.shape([scope.side(inputs[place]!, 0)])
  let uses = 0
  const randomSeed = (): Output => scope.op('Pack', [[scope.graph.scalar('int64', seedOfUse(uses++)), step]])
  const random = (low: number, high: number): Output => scope.add(scope.mul(scope.op('StatelessRandomUniform', [rows, randomSeed()], { dtype: 'float32' }), high - low), low)
  const start: AugmentedBatch = { pictures: scope.float(inputs[place]!), targets }
  const end = augment.reduce<AugmentedBatch>((batch, change) => ({ ...batch, ...change({ ...batch, scope, random, randomSeed }) }), start)
  return { inputs: inputs.map((input, index) => index === place ? end.pictures : input), targets: end.targets }
}
