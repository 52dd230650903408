import { checkShare, perRow, sidesOf, type Augmentation } from './augmentation.ts'
import { range } from '../lowering/scope.ts'

/** Lowest and highest value that a pixel can have. */
export type PixelRange = readonly [low: number, high: number]

const BYTES: PixelRange = [0, 255]

/** Makes pictures brighter or darker. @param share of the pixels' range that is added or taken away at most @param pixels their range; default 0…255 */
export function brightness (share: number, pixels = BYTES): Augmentation {
  checkShare('brightness', share)
  const most = share * (pixels[1] - pixels[0])
  return ({ scope, pictures, random }) => ({ pictures: scope.clip(scope.add(pictures, perRow(scope, random(-most, most), 4)), ...pixels) })
}

/** Brings pixels nearer to the mean of their picture and channel, or further from it. @param share 0.2 for 0.8 to 1.2 times the distance @param pixels as `brightness` */
export function contrast (share: number, pixels = BYTES): Augmentation {
  checkShare('contrast', share)
  return ({ scope, pictures, random }) => {
    const mean = scope.mean(pictures, [1, 2], true)
    const factor = perRow(scope, random(1 - share, 1 + share), 4)
    return { pictures: scope.clip(scope.add(scope.mul(scope.sub(pictures, mean), factor), mean), ...pixels) }
  }
}

/** Covers a rectangle of each picture, part of it outside where its middle is near a border. @param share of each side, 0…1 @param value of the covered pixels @see https://arxiv.org/abs/1708.04552 */
export function cutout (share: number, value = 0): Augmentation {
  checkShare('cutout', share)
  return ({ scope, pictures, random }) => {
    const covered = sidesOf(pictures).map((side, axis) => {
      const length = Math.round(share * side)
      const start = perRow(scope, scope.sub(scope.op('Floor', [random(0, side)]), Math.floor(length / 2)), 2)
      const places = scope.graph.constant({ dtype: 'float32', shape: [1, side], data: Float32Array.from(range(side)) })
      const isInside = scope.op('LogicalAnd', [scope.op('GreaterEqual', [places, start]), scope.op('Less', [places, scope.add(start, length)])])
      return scope.expandDims(scope.expandDims(isInside, axis === 0 ? 2 : 1), 3)
    })
    return { pictures: scope.op('SelectV2', [scope.op('LogicalAnd', covered), scope.number(value), pictures]) }
  }
}
