import type tf from '@tensorflow/tfjs'
import type { Recipe } from '../training/recipe.ts'
import { tf as tfjs } from '../training/tf.ts'
import { embedWords, judge, reviewRecipe } from './reviews.ts'

const UNITS = 64

/** Reads word by word and keeps what matters. The gates are sigmoids, as in Keras: TensorFlow has one fused operation for that. */
function buildModel (): tf.LayersModel {
  const { tokens, words } = embedWords()
  const lstm = tfjs.layers.lstm({ units: UNITS, recurrentActivation: 'sigmoid' })
  return judge(tokens, lstm.apply(words) as tf.SymbolicTensor)
}

/** A long short-term memory on film reviews. */
export const lstm: Recipe = reviewRecipe({
  name: 'lstm',
  summary: 'long short-term memory for film reviews (IMDB)',
  settings: { epochs: 4, batchSize: 64, learningRate: 0.001, seed: 1 },
  buildModel
})
