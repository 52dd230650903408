import type tf from '@tensorflow/tfjs'
import type { Recipe } from '../training/recipe.ts'
import { tf as tfjs } from '../training/tf.ts'
import { embedWords, judge, reviewRecipe } from './reviews.ts'

const UNITS = 64 // in each direction

/** Reads a review from both ends: a word is understood by what follows it, too. */
function buildModel (): tf.LayersModel {
  const { layers } = tfjs
  const { tokens, words } = embedWords()
  const lstm = layers.lstm({ units: UNITS, recurrentActivation: 'sigmoid' })
  return judge(tokens, layers.bidirectional({ layer: lstm, mergeMode: 'concat' }).apply(words) as tf.SymbolicTensor)
}

/** A long short-term memory in both directions on film reviews. */
export const bilstm: Recipe = reviewRecipe({
  name: 'bilstm',
  summary: 'long short-term memory in both directions for film reviews (IMDB)',
  settings: { epochs: 4, batchSize: 64, learningRate: 0.001, seed: 1 },
  buildModel
})
