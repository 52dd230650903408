import type tf from '@tensorflow/tfjs'

type LayerClass = new (...args: never[]) => tf.layers.Layer

/**
 * Puts right what keeps layers of TensorFlow.js 4.22 from being used in a model: `computeOutputShape` of CenterCrop and CategoryEncoding writes
 * into the shape of the layer before, that of Resizing forgets the rows, and `call` of
 * CenterCrop and Resizing hands the list of inputs on as if it were a tensor.
 */
export function repairLayers (tfjs: typeof tf): void {
  const { classNameMap } = tfjs.serialization.SerializationMap.getMap()
  const prototypeOf = (name: string): tf.layers.Layer => (classNameMap[name]![0] as unknown as LayerClass).prototype as tf.layers.Layer
  for (const name of ['CenterCrop', 'CategoryEncoding']) {
    const prototype = prototypeOf(name)
    const computeOutputShape = prototype.computeOutputShape // eslint-disable-line @typescript-eslint/unbound-method -- called with its layer below
    prototype.computeOutputShape = function (shape) { return computeOutputShape.call(this, copied(shape)) }
  }
  for (const name of ['CenterCrop', 'Resizing']) {
    const prototype = prototypeOf(name)
    const call = prototype.call // eslint-disable-line @typescript-eslint/unbound-method -- called with its layer below
    prototype.call = function (inputs, options) { return call.call(this, Array.isArray(inputs) ? inputs[0]! : inputs, options) }
  }
  prototypeOf('Resizing').computeOutputShape = function (shape) {
    const { height, width } = this.getConfig() as { height: number, width: number }
    const [given] = (Array.isArray(shape[0]) ? shape : [shape]) as tf.Shape[]
    return [...given!.slice(0, -3), height, width, given!.at(-1)!]
  }
}

function copied (shape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
  return structuredClone(shape)
}
