import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parseManifest } from '../../src/registry/manifest.ts'
import { loadSavedModel } from '../../src/tensorflow/index.ts'
import { createTokenizer } from '../../src/text/index.ts'
import { VADER_FILES } from '../../src/training/datasets/vader.ts'
import { seededRandom } from '../../src/training/random.ts'
import { runRecipe } from '../support/run-recipe.ts'

const KIND = ['good', 'lovely', 'great', 'superb']
const UNKIND = ['bad', 'awful', 'dull', 'broken']

/** Sentences whose adjective says it all. */
async function writeSentences (directory: string): Promise<void> {
  const random = seededRandom(1)
  for (const name of VADER_FILES) {
    const lines = Array.from({ length: 200 }, (_, index) => {
      const words = index % 2 === 0 ? KIND : UNKIND
      return `${index}\t${index % 2 === 0 ? 2.5 : -2.5}\tThe ${name[0]}${index} was ${words[Math.floor(random() * words.length)]} that day.`
    })
    await writeFile(join(directory, name), `${lines.join('\n')}\n`)
  }
}

t.test('a run ends in a version whose tokenizer and model tell kind from unkind', async t => {
  const [data, models] = [t.testdir(), join(t.testdirName, 'models')]
  await writeSentences(data)
  const { code, err } = await runRecipe(['sentiment', '--data', data, '--models', models, '--epochs', '30'])
  t.equal(code, 0, err)

  const directory = join(models, 'sentiment', '1')
  const path = join(directory, 'model.json')
  const manifest = parseManifest(path, await readFile(path, 'utf8'))
  t.equal(manifest.task, 'text-classification')
  t.strictSame(manifest.labels, ['negative', 'positive'])
  t.ok(manifest.training!.metrics['accuracy']! > 0.9, 'held-out sentences')
  t.ok(Object.keys(manifest.files ?? {}).includes('assets/vocabulary.txt'))

  const tokenizer = await createTokenizer(manifest.text!, directory)
  const { rows, length, ids } = await tokenizer.encode(['What a LOVELY day!', 'An awful, dull thing'])
  const model = await loadSavedModel(directory)
  const { probabilities } = await model.run('serving_default', { [manifest.text!.inputs.ids]: { dtype: 'int32', shape: [rows, length], data: ids } })
  const [unkindFirst, kindFirst, unkindSecond, kindSecond] = probabilities!.data as Float32Array
  t.ok(kindFirst! > unkindFirst!, 'the first is kind')
  t.ok(unkindSecond! > kindSecond!, 'the second is not')
  await model.dispose()
})
