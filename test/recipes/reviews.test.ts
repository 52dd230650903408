import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { seededRandom } from '../../src/training/random.ts'
import { createTokenizer } from '../../src/text/index.ts'
import { trainVersion } from '../support/trained-version.ts'

const WORDS = [['bad', 'awful', 'dull'], ['good', 'lovely', 'great']] as const

/** Reviews whose last words say it all. */
async function writeReviews (directory: string, rows: number): Promise<void> {
  const random = seededRandom(rows)
  for (const name of ['train.jsonl', 'test.jsonl']) {
    const lines = Array.from({ length: rows }, (_, row) => {
      const word = (): string => WORDS[row % 2 as 0 | 1][Math.floor(random() * 3)]!
      return JSON.stringify({ text: `Film number ${row} was ${word()}, ${word()} and ${word()}!`, label: row % 2 })
    })
    await writeFile(join(directory, name), lines.join('\n'))
  }
}

const data = t.testdir()
await writeReviews(data, 320)

for (const recipe of ['simple-rnn', 'lstm', 'bilstm', 'gru', 'attention']) {
  t.test(`${recipe} ends in a version that reads a review to its end`, async t => {
    const { manifest, directory } = await trainVersion(t, t.testdir(), [recipe, '--data', data, '--epochs', '4', '--batch-size', '16', '--learning-rate', '0.01'])
    t.strictSame(manifest.labels, ['negative', 'positive'])
    t.ok(manifest.training!.metrics['accuracy']! > 0.9, 'held-out reviews')
    const { ids } = await (await createTokenizer(manifest.text!, directory)).encode(['lovely'])
    t.strictSame([ids.length, ids[0]], [200, 0], 'padding comes first')
    t.ok(ids[199]! > 1, 'the word comes last')
  })
}
