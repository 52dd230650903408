import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { textFile } from '../../src/recipes/text-file.ts'
import { seededRandom } from '../../src/training/random.ts'
import { runRecipe } from '../support/run-recipe.ts'
import { trainVersion } from '../support/trained-version.ts'

const WORDS = { ham: ['lunch', 'home', 'love', 'later'], spam: ['prize', 'claim', 'urgent', 'free'] } as const

/** Messages that their words give away, `rarity` of ham for one of spam. */
function messages (rows: number, rarity: number): { label: 'ham' | 'spam', text: string }[] {
  const random = seededRandom(1)
  return Array.from({ length: rows }, (_, row) => {
    const label = row % (rarity + 1) === 0 ? 'spam' : 'ham'
    const word = (): string => WORDS[label][Math.floor(random() * 4)]!
    return { label, text: `Message ${row}: ${word()} and ${word()}` }
  })
}

const folder = t.testdir()
await writeFile(join(folder, 'sms.tsv'), messages(280, 6).map(({ label, text }) => `${label}\t${text}`).join('\n'))
await writeFile(join(folder, 'tickets.csv'), ['topic,body', ...messages(160, 1).map(({ label, text }) => `${label},"${text}"`)].join('\n'))
await writeFile(join(folder, 'tickets.jsonl'), messages(160, 1).map(row => JSON.stringify(row)).join('\n'))

for (const balance of ['oversample', 'weights', 'none']) {
  t.test(`spam finds the rare class, with --balance ${balance}`, async t => {
    const { manifest, out } = await trainVersion(t, t.testdir(), ['spam', '--data', folder, '--balance', balance, '--epochs', '12', '--batch-size', '16', '--learning-rate', '0.01'])
    t.strictSame(manifest.labels, ['ham', 'spam'])
    const { f1, precision, recall, rows } = manifest.training!.metrics
    t.equal(rows, 56, 'a fifth of either class')
    t.ok(f1! > 0.9 && precision! > 0.8 && recall! > 0.8, `${f1}`)
    t.match(out, balance === 'oversample' ? / 384 in / : / 224 in /, 'rows of an epoch')
  })
}

t.test('spam refuses another balance, by name', async t => {
  const { code, err } = await runRecipe(['spam', '--data', folder, '--balance', 'luck', '--models', t.testdir()])
  t.not(code, 0)
  t.match(err, '--balance takes weights, oversample, none, not "luck"')
})

t.test('text-file learns from a CSV file with columns of any name', async t => {
  const { manifest } = await trainVersion(t, t.testdir(), ['text-file', '--data', join(folder, 'tickets.csv'), '--text-column', 'body', '--label-column', 'topic', '--length', '12', '--batch-size', '16', '--learning-rate', '0.01'])
  t.strictSame(manifest.labels, ['ham', 'spam'])
  t.equal(manifest.text!.length, 12)
  t.ok(manifest.training!.metrics['accuracy']! > 0.9)
})

t.test('text-file learns from JSON lines', async t => {
  const { manifest } = await trainVersion(t, t.testdir(), ['text-file', '--data', join(folder, 'tickets.jsonl'), '--length', '12', '--batch-size', '16', '--learning-rate', '0.01'])
  t.ok(manifest.training!.metrics['accuracy']! > 0.9)
})

t.test('text-file takes the columns’ names for a file without a line of them', async t => {
  const { manifest } = await trainVersion(t, t.testdir(), ['text-file', '--data', join(folder, 'sms.tsv'), '--columns', 'label,text', '--epochs', '1'])
  t.strictSame(manifest.labels, ['ham', 'spam'])
})

t.test('a column that is not there is named, with those that are', async t => {
  const { code, err } = await runRecipe(['text-file', '--data', join(folder, 'tickets.csv'), '--models', t.testdir()])
  t.not(code, 0)
  t.match(err, /there is no column "text"; there are: topic, body/)
})

t.test('a model is named for its file', async t => {
  const names = ['data/tickets.csv', 'my tickets.jsonl.gz', '…', undefined].map(data => textFile.modelName(data))
  t.strictSame(names, ['tickets', 'my-tickets', 'text-file', 'text-file'])
})
