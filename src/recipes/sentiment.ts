import type tf from '@tensorflow/tfjs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TextContract } from '../registry/manifest.ts'
import type { TensorValue } from '../tensorflow/index.ts'
import { buildVocabulary, createTokenizer, formatVocabulary, type Tokenizer } from '../text/index.ts'
import { gatherRows, rowRange, tensorDataset, type Dataset } from '../training/datasets/dataset.ts'
import { loadVader, VADER_ORIGIN, type SentimentSentence } from '../training/datasets/vader.ts'
import { adam } from '../training/optimizers.ts'
import type { Recipe } from '../training/recipe.ts'
import { tf as tfjs } from '../training/tf.ts'

const LABELS = ['negative', 'positive']

const VOCABULARY_SIZE = 30_000 // words and pairs of words; more of them were read only once
const NGRAMS = 2 // "not good" is no "good": worth three percent
const LENGTH = 128 // words and pairs of nearly every sentence
const EMBEDDING = 8 // as good as 16, and half the file
const DROPOUT = { words: 0.5, sum: 0.3 }

const TOKENIZER = { kind: 'text-vectorization', vocabulary: 'assets/vocabulary.txt', standardize: 'lower-and-strip-punctuation', split: 'whitespace', ngrams: NGRAMS } as const
const CONTRACT: TextContract = { tokenizer: TOKENIZER, length: LENGTH, padding: 'end', truncation: 'end', inputs: { ids: 'tokens' } }

/** The sum of what words and pairs of words mean: hard to beat on ten thousand sentences. */
function buildModel (): tf.LayersModel {
  const { layers } = tfjs
  const tokens = layers.input({ shape: [LENGTH], dtype: 'int32', name: 'tokens' })
  const meanings = layers.embedding({ inputDim: VOCABULARY_SIZE, outputDim: EMBEDDING }).apply(tokens) as tf.SymbolicTensor
  const words = layers.dropout({ rate: DROPOUT.words }).apply(meanings) as tf.SymbolicTensor
  const sum = layers.flatten().apply(layers.dot({ axes: 1 }).apply([words, isWord(tokens)])) as tf.SymbolicTensor
  const dropped = layers.dropout({ rate: DROPOUT.sum }).apply(sum) as tf.SymbolicTensor
  return tfjs.model({ inputs: tokens, outputs: layers.dense({ units: LABELS.length, activation: 'softmax', name: 'probabilities' }).apply(dropped) as tf.SymbolicTensor })
}

/** 1 for a word, 0 for the padding after the last one: a sentence of three words is not thinned by 125 times nothing. */
function isWord (tokens: tf.SymbolicTensor): tf.SymbolicTensor {
  const weights = tfjs.tensor2d(Array.from({ length: VOCABULARY_SIZE }, (_, token) => [token === 0 ? 0 : 1]))
  return tfjs.layers.embedding({ inputDim: VOCABULARY_SIZE, outputDim: 1, weights: [weights], trainable: false, name: 'is_word' }).apply(tokens) as tf.SymbolicTensor
}

/** Whether a sentence about a film or a product is kind. Over 80 % of held-out sentences right. */
export const sentiment: Recipe = {
  name: 'sentiment',
  summary: 'whether a sentence about a film or a product is kind (VADER\'s sentences)',
  data: 'folder with VADER\'s movieReviewSnippets_GroundTruth.txt and amazonReviewSnippets_GroundTruth.txt; fetched once if left out',
  settings: {
    epochs: 6, // later it only learns the sentences by heart
    batchSize: 64,
    learningRate: 0.001,
    seed: 1
  },
  modelName: () => 'sentiment',

  async run (run) {
    const sentences = await loadVader({ directory: run.data, cacheDirectory: run.cacheDirectory, seed: run.settings.seed })
    const folder = await mkdtemp(join(tmpdir(), 'tensorport-sentiment-'))
    try {
      const vocabulary = await writeVocabulary(folder, sentences.train)
      const tokenizer = await createTokenizer(CONTRACT, folder)
      const train = await encode(tokenizer, sentences.train)
      const heldOut = await encode(tokenizer, sentences.heldOut)

      const trained = await run.train({
        model: run.build(buildModel),
        loss: 'sparseCategoricalCrossentropy',
        optimizer: adam({ learningRate: run.settings.learningRate }),
        data: train.data,
        heldOut: heldOut.data,
        show: async rows => ({ texts: Array.from(rows, row => sentences.heldOut[row]!.text) })
      })
      return await run.export({
        ...trained,
        manifest: { task: 'text-classification', labels: LABELS, text: CONTRACT },
        golden: [{ inputs: { tokens: gatherRows(heldOut.tokens, rowRange(0, 4)) } }],
        origin: VADER_ORIGIN,
        assets: { 'vocabulary.txt': vocabulary }
      })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** Of the sentences that are learned from only: what is held out may hold words that nobody has seen. @returns the file's path */
async function writeVocabulary (folder: string, sentences: readonly SentimentSentence[]): Promise<string> {
  const vocabulary = buildVocabulary(sentences.map(({ text }) => text), { ...TOKENIZER, maxTokens: VOCABULARY_SIZE })
  const path = join(folder, TOKENIZER.vocabulary)
  await mkdir(dirname(path))
  await writeFile(path, formatVocabulary(vocabulary))
  return path
}

async function encode (tokenizer: Tokenizer, sentences: readonly SentimentSentence[]): Promise<{ tokens: TensorValue, data: Dataset }> {
  const { rows, length, ids } = await tokenizer.encode(sentences.map(({ text }) => text))
  const tokens: TensorValue = { dtype: 'int32', shape: [rows, length], data: ids }
  return { tokens, data: tensorDataset(tokens, { dtype: 'int32', shape: [rows], data: Int32Array.from(sentences, ({ label }) => label) }) }
}
