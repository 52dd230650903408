import type tf from '@tensorflow/tfjs'
import { tf as tfjs } from '../tf.ts'

type AddWeight = (this: tf.layers.Layer, name: string, shape: readonly (number | null)[], ...others: unknown[]) => tf.LayerVariable

/**
 * Builds a model whose description is not to be trusted: a layer of a billion units is a few bytes of text. Each weight is counted before it
 * is made, which `tf.layers` does in one method of all its layers.
 *
 * @param elements that the model's file holds
 * @param build synchronous
 * @throws what `refuse` gives once there are more
 */
export function withinWeightBudget<Result> (elements: number, refuse: (layer: string) => Error, build: () => Result): Result {
  const prototype = tfjs.layers.Layer.prototype as unknown as { addWeight: AddWeight }
  const { addWeight } = prototype
  let left = elements
  prototype.addWeight = function (name, shape, ...others) {
    left -= shape.reduce<number>((count, side) => count * (side ?? 1), 1)
    if (!(left >= 0)) throw refuse(this.name)
    return addWeight.call(this, name, shape, ...others)
  }
  try {
    return build()
  } finally {
    prototype.addWeight = addWeight
  }
}
