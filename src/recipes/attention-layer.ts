import type tf from '@tensorflow/tfjs'
import { registerLowering } from '../training/lowering/registry.ts'
import { tf as tfjs } from '../training/tf.ts'

/**
 * Weighs the steps of a sequence and adds them up: [rows, steps, features] → [rows, features]. The weights are softmax(tanh(x·W + b)) over
 * the steps, with W [features, 1] and b [steps, 1]: additive attention without a query.
 *
 * An example of a layer of your own: the class says what `tf.layers` has to know, and `registerLowering` below how TensorFlow computes it.
 *
 * @see https://arxiv.org/abs/1512.08756 feed-forward attention
 */
export class AttentionLayer extends tfjs.layers.Layer {
  static readonly className = 'AttentionLayer'
  #weight!: tf.LayerVariable
  #bias!: tf.LayerVariable

  override build (inputShape: tf.Shape): void {
    const [, steps, features] = inputShape
    this.#weight = this.addWeight('attention_weight', [features!, 1], 'float32', tfjs.initializers.randomNormal({ stddev: 0.05 }))
    this.#bias = this.addWeight('attention_bias', [steps!, 1], 'float32', tfjs.initializers.zeros())
    this.built = true
  }

  override computeOutputShape (inputShape: tf.Shape): tf.Shape {
    return [inputShape[0]!, inputShape[2]!]
  }

  override call (inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tfjs.tidy(() => {
      const steps = (Array.isArray(inputs) ? inputs[0]! : inputs) as tf.Tensor3D
      const [rows, length, features] = steps.shape
      const products = tfjs.reshape(tfjs.matMul(tfjs.reshape(steps, [-1, features]), this.#weight.read() as tf.Tensor2D), [rows, length, 1])
      const scores = tfjs.tanh(tfjs.add(products, this.#bias.read()))
      const shares = tfjs.softmax(tfjs.reshape(scores, [rows, length]))
      return tfjs.sum(tfjs.mul(steps, tfjs.expandDims(shares, 2)), 1)
    })
  }
}

tfjs.serialization.registerClass(AttentionLayer)

registerLowering('AttentionLayer', ({ scope, input, weight }) => {
  const [rows, steps, features] = scope.dimensions(input)
  const products = scope.reshape(scope.op('MatMul', [scope.reshape(input, [-1, features!]), weight('attention_weight')]), [rows!, steps!, 1])
  const scores = scope.op('Tanh', [scope.add(products, weight('attention_bias'))])
  const shares = scope.op('Softmax', [scope.reshape(scores, [rows!, steps!])])
  return scope.sum(scope.mul(input, scope.expandDims(shares, 2)), [1])
})
