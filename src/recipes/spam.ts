import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BadOptionError } from '../errors.ts'
import type { TextContract } from '../registry/manifest.ts'
import { holdOutOfClasses } from '../training/datasets/hold-out.ts'
import { labelledTexts, openTextFile } from '../training/datasets/labelled-texts.ts'
import { oneOf } from '../training/options.ts'
import { adam } from '../training/optimizers.ts'
import type { Recipe } from '../training/recipe.ts'
import { balancedClassWeights } from '../training/row-weights.ts'
import { tf as tfjs } from '../training/tf.ts'
import { choice, float } from '../training/tuning/search-space.ts'
import { trainOnTexts } from './text-classification.ts'
import { buildWordsModel } from './words-model.ts'

const LABELS = ['ham', 'spam']

const VOCABULARY_SIZE = 2500 // most words are met once or twice: they stand for all that nobody has met
const LENGTH = 60 // words; a short message has 160 letters
const HELD_OUT_SHARE = 0.2

const CONTRACT: TextContract = {
  tokenizer: { kind: 'text-vectorization', vocabulary: 'assets/vocabulary.txt', standardize: 'lower-and-strip-punctuation', split: 'whitespace' },
  length: LENGTH,
  padding: 'end',
  truncation: 'end',
  inputs: { ids: 'tokens' }
}

const BALANCES = ['weights', 'oversample', 'none'] as const

/** Six messages of seven are no spam, so that accuracy says little: precision, recall and F1 of spam count. */
export const spam: Recipe = {
  name: 'spam',
  summary: 'unwanted short messages, one in seven (SMS Spam Collection)',
  data: 'folder with sms.tsv, or the file: "ham" or "spam", a tab, the message',
  tuning: {
    objective: { figure: 'val_f1', direction: 'max' },
    space: {
      balance: choice(BALANCES),
      batchSize: choice([32, 64, 128]),
      learningRate: float(1e-4, 1e-2, { isLog: true })
    }
  },
  settings: { epochs: 10, batchSize: 64, learningRate: 0.001, seed: 1 },
  options: {
    balance: { description: 'what is done about spam being rare: weights (a spam message counts six times), oversample (it is read six times) or none', default: 'oversample' }
  },
  modelName: () => 'spam',

  async run (run) {
    if (run.data === undefined) throw new BadOptionError('Say where the messages are: --data PATH')
    const balance = oneOf('balance', run.option('balance'), BALANCES)
    const { seed, learningRate } = run.settings
    const isFolder = await stat(run.data).then(found => found.isDirectory(), () => false)
    const file = await openTextFile({ path: isFolder ? join(run.data, 'sms.tsv') : run.data, columns: ['label', 'text'], labelColumn: 'label', textColumn: 'text' })
    const all = labelledTexts(file, LABELS)
    const { kept, heldOut } = holdOutOfClasses(all.labels, HELD_OUT_SHARE, seed)
    const train = labelledTexts(file, LABELS, kept)
    return await trainOnTexts(run, {
      train,
      oversamples: balance === 'oversample',
      heldOut: labelledTexts(file, LABELS, heldOut),
      labels: LABELS,
      contract: CONTRACT,
      vocabularySize: VOCABULARY_SIZE,
      buildModel: () => buildWordsModel({ vocabularySize: VOCABULARY_SIZE, length: LENGTH, output: tfjs.layers.dense({ units: 1, activation: 'sigmoid', name: 'probability' }) }),
      optimizer: adam({ learningRate }),
      metrics: ['accuracy', 'precision', 'recall', 'f1'],
      ...(balance === 'weights' && { classWeights: balancedClassWeights(train.labels, LABELS.length) }),
      origin: 'SMS Spam Collection (T. Almeida and J. Gómez Hidalgo, UCI Machine Learning Repository)'
    })
  }
}
