import type tf from '@tensorflow/tfjs'
import type { Recipe } from '../training/recipe.ts'
import { tf as tfjs } from '../training/tf.ts'
import { embedWords, judge, reviewRecipe } from './reviews.ts'

const UNITS = 64

/** Two gates where an LSTM has three, and one state where it has two. */
function buildModel (): tf.LayersModel {
  const { tokens, words } = embedWords()
  const gru = tfjs.layers.gru({ units: UNITS, recurrentActivation: 'sigmoid' })
  return judge(tokens, gru.apply(words) as tf.SymbolicTensor)
}

/** Gated recurrent units on film reviews. */
export const gru: Recipe = reviewRecipe({
  name: 'gru',
  summary: 'gated recurrent units for film reviews (IMDB)',
  settings: { epochs: 4, batchSize: 64, learningRate: 0.001, seed: 1 },
  buildModel
})
