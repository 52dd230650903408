import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '../../src/registry/manifest.ts'
import { floats } from '../../src/tensorflow/index.ts'
import { writeTinyModel } from './saved-models.ts'

/** Tokens that a text of the tiny model keeps. */
export const TEXT_LENGTH = 4

/** The file's lines are numbers 2, 3, …; 0 pads, 1 is unknown. */
const VOCABULARY = ['good', 'bad', 'film', 'the']

/** The score that each token number adds: good counts for, bad against, the rest for nothing. */
const SCORES = [0, 0, 4, -4, 0, 0]

/** A text model that knows "good" and "bad": the probability of class 1 is sigmoid(4 · good − 4 · bad). Writes its manifest too. */
export async function writeTextModel (directory: string, dtype: 'int32' | 'int64' = 'int32'): Promise<void> {
  await writeTinyModel(directory, ({ graph, variable }) => {
    const ids = graph.placeholder(dtype, [-1, TEXT_LENGTH], 'ids')
    const scores = graph.apply('GatherV2', [variable('scores', floats([SCORES.length], SCORES)), ids, graph.scalar('int32', 0)])
    const sum = graph.apply('Sum', [scores, graph.ints([1])], { keep_dims: true })
    return { serving_default: { inputs: { ids }, outputs: { probability: graph.apply('Sigmoid', [sum]) } } }
  })
  const manifest: Manifest = {
    format: 1,
    task: 'text-classification',
    labels: ['negative', 'positive'],
    text: {
      tokenizer: { kind: 'text-vectorization', vocabulary: 'vocabulary.txt', standardize: 'lower-and-strip-punctuation', split: 'whitespace' },
      length: TEXT_LENGTH,
      padding: 'end',
      truncation: 'end',
      inputs: { ids: 'ids' }
    }
  }
  await writeFile(join(directory, 'vocabulary.txt'), `${VOCABULARY.join('\n')}\n`)
  await writeFile(join(directory, 'model.json'), JSON.stringify(manifest))
}
