import type tf from '@tensorflow/tfjs'
import { elementCount } from '../tensorflow/index.ts'

/** Multiplications a row from which on a product is worth spreading over threads; waking one takes as long as some millions of them. */
const WORTH_SPREADING = 1_000_000

/**
 * Threads inside one operation that a model learns fastest with: one for a small model, whose steps take a millisecond, and TensorFlow's choice for others.
 * Measured with the models of `npm run bench:train` on 2 cores: an MLP of 235 000 takes a sixth less time on one thread, a CNN of 5 000 000 more.
 *
 * @returns undefined for TensorFlow's choice
 */
export function trainingThreads (model: tf.LayersModel): number | undefined {
  return multiplicationsOfRow(model) < WORTH_SPREADING ? 1 : undefined
}

/** In products of weights: as many as a layer has weights of two and more sides, at every place of its output, or every step of its input. */
export function multiplicationsOfRow (model: tf.LayersModel): number {
  return model.layers.reduce((sum, layer) => {
    if ('layers' in layer) return sum + multiplicationsOfRow(layer as tf.LayersModel)
    const weights = layer.weights.filter(({ shape }) => shape.length > 1).reduce((count, { shape }) => count + elementCount(shape.map(Number)), 0)
    return layer.getClassName() === 'Embedding' ? sum : sum + weights * placesOf(layer)
  }, 0)
}

/** Of an output [N, …places, C]; steps of an input [N, T, C] that the layer walks along. */
function placesOf (layer: tf.layers.Layer): number {
  const node = layer.inboundNodes[0]
  const output = node?.outputTensors[0]?.shape ?? []
  const input = node?.inputTensors[0]?.shape ?? []
  return Math.max(places(output), RECURRENT.test(layer.getClassName()) ? places(input) : 1)
}

const RECURRENT = /LSTM|GRU|RNN|Bidirectional/

/** Open sides count as one. */
function places (shape: readonly (number | null)[]): number {
  return elementCount(shape.slice(1, -1).map(side => side ?? 1))
}
