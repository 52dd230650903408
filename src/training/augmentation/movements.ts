import type { Output } from '../../tensorflow/index.ts'
import type { Scope } from '../lowering/scope.ts'
import { checkShare, perRow, sidesOf, type Augmentation, type Fill } from './augmentation.ts'

export interface MovementOptions {
  /** Default `reflect`. */
  readonly fill?: Fill
}

/** Mirrors every other picture, so that left is right. */
export function flipLeftRight (): Augmentation {
  return flip(2)
}

/** Mirrors every other picture, so that up is down. */
export function flipUpDown (): Augmentation {
  return flip(1)
}

function flip (axis: number): Augmentation {
  return ({ scope, pictures, random }) => {
    const isFlipped = scope.op('Less', [random(0, 1), scope.number(0.5)])
    return { pictures: scope.op('SelectV2', [perRow(scope, isFlipped, 4), scope.op('ReverseV2', [pictures, scope.ints([axis])]), pictures]) }
  }
}

/** Moves pictures up to a share of their sides each way, by whole pixels: what a crop out of a padded picture gives. @param share 0…1 */
export function shift (share: number, { fill = 'reflect' }: MovementOptions = {}): Augmentation {
  checkShare('shift', share)
  return ({ scope, pictures, random }) => {
    const [height, width] = sidesOf(pictures)
    const pixels = (side: number): Output => {
      const most = Math.round(share * side)
      return scope.op('Floor', [random(-most, most + 1)])
    }
    const [down, right] = [pixels(height), pixels(width)]
    return { pictures: warp(scope, pictures, [1, 0, scope.sub(0, right), 0, 1, scope.sub(0, down)], { fill, interpolation: 'NEAREST' }) }
  }
}

/** Turns pictures around their middle. @param degrees at most, either way */
export function rotate (degrees: number, { fill = 'reflect' }: MovementOptions = {}): Augmentation {
  return ({ scope, pictures, random }) => {
    const angle = random(-degrees * Math.PI / 180, degrees * Math.PI / 180)
    const [cos, sin] = [scope.op('Cos', [angle]), scope.op('Sin', [angle])]
    return { pictures: aroundTheMiddle(scope, pictures, [cos, scope.sub(0, sin), sin, cos], fill) }
  }
}

/** Enlarges and shrinks pictures around their middle. @param share at most, either way: 0.2 for 0.8 to 1.2 times the size */
export function zoom (share: number, { fill = 'reflect' }: MovementOptions = {}): Augmentation {
  checkShare('zoom', share)
  return ({ scope, pictures, random }) => {
    const scale = scope.div(1, random(1 - share, 1 + share))
    const none = scope.mul(scale, 0)
    return { pictures: aroundTheMiddle(scope, pictures, [scale, none, none, scale], fill) }
  }
}

/** @param matrix [xx, xy, yx, yy], each float32 [N]: from a place in the result, seen from the middle, to that in the picture */
function aroundTheMiddle (scope: Scope, pictures: Output, [xx, xy, yx, yy]: readonly [Output, Output, Output, Output], fill: Fill): Output {
  const [y, x] = sidesOf(pictures).map(side => (side - 1) / 2) as [number, number]
  const offset = (middle: number, ofX: Output, ofY: Output): Output => scope.sub(middle, scope.add(scope.mul(ofX, x), scope.mul(ofY, y)))
  return warp(scope, pictures, [xx, xy, offset(x, xx, xy), yx, yy, offset(y, yx, yy)], { fill, interpolation: 'BILINEAR' })
}

/**
 * @param places where each pixel (x, y) of the result comes from: x' = a·x + b·y + c, y' = d·x + e·y + f
 * @see https://www.tensorflow.org/api_docs/cc/class/tensorflow/ops/image-projective-transform-v3
 */
function warp (scope: Scope, pictures: Output, places: readonly (Output | number)[], { fill, interpolation }: { fill: Fill, interpolation: 'NEAREST' | 'BILINEAR' }): Output {
  const zero = scope.mul(places.find(place => typeof place !== 'number') as Output, 0)
  const numbers = [...places, 0, 0].map(place => typeof place === 'number' ? scope.add(zero, place) : place)
  const transforms = scope.op('Pack', [numbers], { axis: 1 })
  const value = scope.number(typeof fill === 'number' ? fill : 0)
  const mode = typeof fill === 'number' ? 'CONSTANT' : fill.toUpperCase()
  return scope.op('ImageProjectiveTransformV3', [pictures, transforms, scope.ints(sidesOf(pictures)), value], { interpolation, fill_mode: mode })
}
