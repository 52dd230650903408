import type tf from '@tensorflow/tfjs'
import { tf as tfjs } from '../training/tf.ts'

const EMBEDDING = 32
const FILTERS = 64
const WINDOW = 3 // words that mean something together
const DROPOUT = 0.5

export interface WordsModel {
  readonly vocabularySize: number
  /** Words a text. */
  readonly length: number
  /** The last layer: what it says of a text. */
  readonly output: tf.layers.Layer
}

/** Looks for telling phrases anywhere in a short text: each filter knows one, and the strongest hit counts. */
export function buildWordsModel ({ vocabularySize, length, output }: WordsModel): tf.LayersModel {
  const { layers } = tfjs
  return tfjs.sequential({
    layers: [
      layers.inputLayer({ inputShape: [length], dtype: 'int32', name: 'tokens' }),
      layers.embedding({ inputDim: vocabularySize, outputDim: EMBEDDING }),
      layers.conv1d({ filters: FILTERS, kernelSize: WINDOW, padding: 'same', activation: 'relu' }),
      layers.globalMaxPooling1d({}),
      layers.dropout({ rate: DROPOUT }),
      output
    ]
  })
}
