import type tf from '@tensorflow/tfjs'
import { hasCustomOperations, type Output } from '../../tensorflow/index.ts'
import { withGradient } from '../gradients.ts'
import { placesOnSide } from './channels.ts'
import { isOnlyWay } from './only-way.ts'
import { shapeOf, type Scope } from './scope.ts'

/** A pool of images while a model learns. */
export interface MaxPooling {
  /** [N, H, W, C] */
  readonly x: Output
  readonly size: readonly [height: number, width: number]
  readonly strides: readonly [height: number, width: number]
  readonly padding: 'SAME' | 'VALID'
  /** Whether negative numbers become 0. */
  readonly isPositive: boolean
}

export function maxPool (scope: Scope, { x, size, strides, padding, isPositive }: MaxPooling): Output {
  const pooled = scope.op('MaxPool', [x], { ksize: [1, ...size, 1], strides: [1, ...strides, 1], padding })
  return isPositive ? scope.op('Relu', [pooled]) : pooled
}

/** Whether a layer's pool may be `maxPoolAtOnce`. */
export function canPoolAtOnce (scope: Scope, layer: tf.layers.Layer): boolean {
  return scope.precision === 'float32' && hasCustomOperations() && isOnlyWay(layer)
}

/** The same to the bit by tensorport's own operation (src/tensorflow/kernels), where TensorFlow's four of it each go through all numbers. */
export function maxPoolAtOnce (scope: Scope, { x, size, strides, padding, isPositive }: MaxPooling): Output {
  const attributes = {
    window_height: size[0], window_width: size[1], stride_height: strides[0], stride_width: strides[1], is_padded: Number(padding === 'SAME'), is_positive: Number(isPositive)
  }
  const [images, height, width, channels] = shapeOf(x) as [number, number, number, number]
  // −1 stays for a side that is not known.
  const pooled = [height, width].map((side, axis) => side < 0 ? -1 : placesOnSide(side, size[axis]!, strides[axis]!, padding))
  const shape = [images, ...pooled, channels]
  const y = scope.op('EnsureShape', [scope.op('TensorportMaxPool', [x], attributes)], { shape })
  const [sealed] = withGradient(scope, [x], [y], ([dy]) => [dy && scope.op('TensorportMaxPoolGrad', [x, y, dy], attributes)])
  return sealed!
}
