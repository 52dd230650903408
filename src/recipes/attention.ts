import type tf from '@tensorflow/tfjs'
import type { Recipe } from '../training/recipe.ts'
import { tf as tfjs } from '../training/tf.ts'
import { AttentionLayer } from './attention-layer.ts'
import { embedWords, judge, reviewRecipe } from './reviews.ts'

const UNITS = 64

/** An LSTM whose every step is kept, and attention that chooses the telling ones. */
function buildModel (): tf.LayersModel {
  const { tokens, words } = embedWords()
  const lstm = tfjs.layers.lstm({ units: UNITS, recurrentActivation: 'sigmoid', returnSequences: true })
  return judge(tokens, new AttentionLayer({}).apply(lstm.apply(words)) as tf.SymbolicTensor)
}

/** Attention over an LSTM's steps on film reviews. */
export const attention: Recipe = reviewRecipe({
  name: 'attention',
  summary: 'attention over the steps of an LSTM for film reviews (IMDB)',
  settings: { epochs: 4, batchSize: 64, learningRate: 0.001, seed: 1 },
  buildModel
})
