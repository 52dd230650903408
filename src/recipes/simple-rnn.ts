import type tf from '@tensorflow/tfjs'
import type { Recipe } from '../training/recipe.ts'
import { tf as tfjs } from '../training/tf.ts'
import { embedWords, judge, reviewRecipe } from './reviews.ts'

const UNITS = 64

/** Mixes each word into what it remembers, with nothing to keep the one from washing the other away. */
function buildModel (): tf.LayersModel {
  const { tokens, words } = embedWords()
  return judge(tokens, tfjs.layers.simpleRNN({ units: UNITS }).apply(words) as tf.SymbolicTensor)
}

/** The plainest recurrent network on film reviews: what the others are measured by. */
export const simpleRnn: Recipe = reviewRecipe({
  name: 'simple-rnn',
  summary: 'plain recurrent network for film reviews (IMDB)',
  settings: { epochs: 5, batchSize: 64, learningRate: 0.0005, seed: 1 },
  buildModel
})
