import type tf from '@tensorflow/tfjs'

const layers = new WeakSet<tf.layers.Layer>()

/** Makes a recurrent layer give zeros at steps that do not count, as Keras's `zero_output_for_mask`; `tf.layers` repeats the output before. */
export function giveZerosForMask (layer: tf.layers.Layer): void {
  layers.add(layer)
}

export function givesZerosForMask (layer: tf.layers.Layer): boolean {
  return layers.has(layer)
}
