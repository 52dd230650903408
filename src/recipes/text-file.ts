import { basename, parse, resolve } from 'node:path'
import { BadOptionError } from '../errors.ts'
import type { TextContract } from '../registry/manifest.ts'
import { earlyStopping } from '../training/callbacks/early-stopping.ts'
import { holdOutOfClasses } from '../training/datasets/hold-out.ts'
import { classesOf, labelledTexts, openTextFile } from '../training/datasets/labelled-texts.ts'
import { adam } from '../training/optimizers.ts'
import type { Recipe } from '../training/recipe.ts'
import { tf as tfjs } from '../training/tf.ts'
import { choice, float, integer } from '../training/tuning/search-space.ts'
import { trainOnTexts } from './text-classification.ts'
import { buildWordsModel } from './words-model.ts'

const VOCABULARY_SIZE = 20_000
const HELD_OUT_SHARE = 0.2
const VALIDATION_SHARE = 0.1 // of the rest: chooses the best epoch
const PATIENCE = 2 // epochs without a better validation loss
const MOST_WORDS = 2000

/** A classifier of your own texts: a file with a column of texts and one of labels. */
export const textFile: Recipe = {
  name: 'text-file',
  summary: 'classifier of your own texts, from a CSV, TSV or JSONL file',
  data: 'file of labelled texts: .csv, .tsv or .jsonl, packed with gzip or not',
  tuning: {
    objective: { figure: 'val_acc', direction: 'max' },
    space: {
      length: integer(50, 400, { step: 50 }),
      batchSize: choice([16, 32, 64]),
      learningRate: float(1e-4, 1e-2, { isLog: true })
    }
  },
  settings: { epochs: 20, batchSize: 64, learningRate: 0.001, seed: 1 },
  options: {
    'text-column': { description: 'column of the texts', default: 'text' },
    'label-column': { description: 'column of the labels', default: 'label' },
    columns: { description: 'the columns\' names, "label,text", for a CSV or TSV file without a line of names', default: 'none' },
    length: { description: 'words of a text that are read', default: '200' }
  },
  modelName: data => data === undefined ? 'text-file' : nameOf(data),

  async run (run) {
    if (run.data === undefined) throw new BadOptionError('Say where the texts are: --data FILE')
    const length = run.numberOption('length', { least: 1, most: MOST_WORDS, isWhole: true })
    const { seed, learningRate } = run.settings
    const names = run.option('columns')
    const file = await openTextFile({
      path: run.data,
      textColumn: run.option('text-column'),
      labelColumn: run.option('label-column'),
      ...(names !== 'none' && { columns: names.split(',').map(name => name.trim()) })
    })
    const classes = classesOf(file)
    run.say(`${file.labels.length} texts, ${classes.length} classes: ${classes.join(', ')}`)
    const { labels } = labelledTexts(file, classes)
    const { kept, heldOut } = holdOutOfClasses(labels, HELD_OUT_SHARE, seed)
    const { kept: learned, heldOut: validating } = holdOutOfClasses(kept.map(row => labels[row]!), VALIDATION_SHARE, seed)
    const texts = (rows: Int32Array): ReturnType<typeof labelledTexts> => labelledTexts(file, classes, rows)
    return await trainOnTexts(run, {
      train: texts(learned.map(place => kept[place]!)),
      validation: texts(validating.map(place => kept[place]!)),
      heldOut: texts(heldOut),
      labels: classes,
      contract: contractOf(length),
      vocabularySize: VOCABULARY_SIZE,
      buildModel: () => buildWordsModel({ vocabularySize: VOCABULARY_SIZE, length, output: tfjs.layers.dense({ units: classes.length, activation: 'softmax', name: 'probabilities' }) }),
      optimizer: adam({ learningRate }),
      callbacks: [earlyStopping({ patience: PATIENCE })],
      origin: `Texts of ${basename(resolve(run.data))}`
    })
  }
}

function contractOf (length: number): TextContract {
  return {
    tokenizer: { kind: 'text-vectorization', vocabulary: 'assets/vocabulary.txt', standardize: 'lower-and-strip-punctuation', split: 'whitespace' },
    length,
    padding: 'end',
    truncation: 'end',
    inputs: { ids: 'tokens' }
  }
}

/** The file's name without its ending, in the letters that a model's may have. */
function nameOf (data: string): string {
  const name = parse(basename(resolve(data)).replace(/\.gz$/i, '')).name.replace(/[^\w.-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '').slice(0, 128)
  return name === '' ? 'text-file' : name
}
