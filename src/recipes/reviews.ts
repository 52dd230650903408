import type tf from '@tensorflow/tfjs'
import { BadOptionError } from '../errors.ts'
import type { TextContract } from '../registry/manifest.ts'
import { earlyStopping } from '../training/callbacks/early-stopping.ts'
import { loadImdb } from '../training/datasets/imdb.ts'
import { adam } from '../training/optimizers.ts'
import type { Recipe, RecipeSettings } from '../training/recipe.ts'
import { tf as tfjs } from '../training/tf.ts'
import { choice, float } from '../training/tuning/search-space.ts'
import { trainOnTexts } from './text-classification.ts'

const VOCABULARY_SIZE = 10_000 // what is rarer is seen too seldom to learn anything of it
export const EMBEDDING = 100
export const LENGTH = 200 // words; half of the reviews are shorter

const PATIENCE = 1 // epochs: the first that is no better is one that learns reviews by heart

/** The last words of a review count: that is where it says what it thinks. Padding comes first, so that the network ends on words. */
const CONTRACT: TextContract = {
  tokenizer: { kind: 'text-vectorization', vocabulary: 'assets/vocabulary.txt', standardize: 'lower-and-strip-punctuation', split: 'whitespace' },
  length: LENGTH,
  padding: 'start',
  truncation: 'start',
  inputs: { ids: 'tokens' }
}

/** What one recipe for film reviews has of its own. */
interface ReviewRecipe {
  readonly name: string
  readonly summary: string
  readonly settings: RecipeSettings
  readonly buildModel: () => tf.LayersModel
}

/** A recipe that tells kind film reviews from unkind ones. */
export function reviewRecipe ({ name, summary, settings, buildModel }: ReviewRecipe): Recipe {
  return {
    name,
    summary,
    data: 'folder with IMDB\'s train.jsonl and test.jsonl, packed with gzip or not: {"text": "…", "label": 0 or 1} a line',
    settings,
    tuning: {
      objective: { figure: 'val_acc', direction: 'max' },
      space: {
        batchSize: choice([32, 64, 128]),
        learningRate: float(2e-4, 5e-3, { isLog: true })
      }
    },
    modelName: () => name,

    async run (run) {
      if (run.data === undefined) throw new BadOptionError('Say where the reviews are: --data DIR')
      const reviews = await loadImdb(run.data, run.settings.seed)
      return await trainOnTexts(run, {
        ...reviews,
        contract: CONTRACT,
        vocabularySize: VOCABULARY_SIZE,
        buildModel,
        optimizer: adam({ learningRate: run.settings.learningRate }),
        callbacks: [earlyStopping({ patience: PATIENCE })]
      })
    }
  }
}

/** Words as points: where each of these models begins. */
export function embedWords (): { tokens: tf.SymbolicTensor, words: tf.SymbolicTensor } {
  const tokens = tfjs.input({ shape: [LENGTH], dtype: 'int32', name: 'tokens' })
  return { tokens, words: tfjs.layers.embedding({ inputDim: VOCABULARY_SIZE, outputDim: EMBEDDING }).apply(tokens) as tf.SymbolicTensor }
}

/** What each of these models ends with: what was read → 64 → whether it is kind. */
export function judge (tokens: tf.SymbolicTensor, read: tf.SymbolicTensor): tf.LayersModel {
  const { layers } = tfjs
  const stack = [
    layers.dropout({ rate: 0.5 }),
    layers.dense({ units: 64, activation: 'relu' }),
    layers.dropout({ rate: 0.3 }),
    layers.dense({ units: 1, activation: 'sigmoid', name: 'probability' })
  ]
  return tfjs.model({ inputs: tokens, outputs: stack.reduce<tf.SymbolicTensor>((x, layer) => layer.apply(x) as tf.SymbolicTensor, read) })
}
