import type { Output } from '../../tensorflow/index.ts'
import { rankOf, shapeOf, type Scope } from '../lowering/scope.ts'

/** The rows of a batch while they are changed. */
export interface AugmentedBatch {
  /** float32 [N, H, W, C] */
  readonly pictures: Output
  /** [N, …], one for each output of the model. */
  readonly targets: readonly Output[]
}

/** What an augmentation is given. */
export interface AugmentationCall extends AugmentedBatch {
  readonly scope: Scope
  /** One number for each row, float32 [N], low ≤ x < high: others for each call and step, the same ones for the same seed. */
  readonly random: (low: number, high: number) => Output
  /** Two numbers for a stateless random operation, int64 [2], as new as those of `random`. */
  readonly randomSeed: () => Output
}

/** Changes pictures that are learned from, so that no two epochs show the same. Pictures that are measured or predicted stay as they are. */
export type Augmentation = (call: AugmentationCall) => Partial<AugmentedBatch>

/** What happens where a picture has moved away from: it goes on mirrored, its border is repeated, or there is one value. */
export type Fill = 'reflect' | 'nearest' | number

/** Height and width of the pictures. @throws RangeError where they are free: augmentation is for pictures of one size */
export function sidesOf (pictures: Output): [height: number, width: number] {
  const [, height, width] = shapeOf(pictures)
  if (height! < 0 || width! < 0) throw new RangeError(`Expected pictures of one size for augmentation but received the shape [${shapeOf(pictures).join(', ')}]`)
  return [height!, width!]
}

/** Numbers of rows, [N], as they go with tensors of the given rank: [N, 1, …]. */
export function perRow (scope: Scope, numbers: Output, rank: number): Output {
  let wide = numbers
  while (rankOf(wide) < rank) wide = scope.expandDims(wide, rankOf(wide))
  return wide
}

/** @throws RangeError */
export function checkShare (name: string, share: number): void {
  if (!(share >= 0 && share < 1)) throw new RangeError(`Expected a share from 0 up to 1 for ${name} but received ${share}`)
}
