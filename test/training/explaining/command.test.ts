import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { pixelsToPng } from '../../../src/image/index.ts'
import { main } from '../../../src/training/explaining/command.ts'
import { writeTinyFashion } from '../../support/idx-files.ts'
import { runRecipe } from '../../support/run-recipe.ts'

const shipped = fileURLToPath(new URL('../../../models', import.meta.url))

interface Explained {
  readonly class: string
  readonly score: number
  readonly baseline: number
  readonly features: readonly { readonly name: string, readonly value: number, readonly error: number }[]
}

async function run (argv: readonly string[]): Promise<{ code: number, out: string, err: string }> {
  const written = { out: '', err: '' }
  const code = await main(argv, { out: { write: text => { written.out += text } }, err: { write: text => { written.err += text } } })
  return { code, ...written }
}

t.test('of a text, the words that make it kind speak for it', async t => {
  const folder = t.testdir()
  const { code, out, err } = await run(['sentiment', '--models', shipped, '--text', 'The plot is dull but the actors are wonderful', '--class', 'positive', '--orders', '10', '--out', folder])
  t.equal(code, 0, err)
  t.match(out, /^sentiment \d+ takes it for \w+ .*; what speaks for positive:\n/)
  const { class: label, score, baseline, features } = JSON.parse(readFileSync(join(folder, 'shapley-values.json'), 'utf8')) as Explained
  t.equal(label, 'positive')
  t.strictSame(features.map(({ name }) => name), ['The', 'plot', 'is', 'dull', 'but', 'the', 'actors', 'are', 'wonderful'])
  t.ok(Math.abs(features.reduce((sum, { value }) => sum + value, baseline) - score) < 1e-6)
  const byName = new Map(features.map(({ name, value }) => [name, value]))
  t.ok(byName.get('wonderful')! > 0.05 && byName.get('dull')! < -0.05, JSON.stringify([...byName]))
  t.strictSame(readdirSync(folder).sort(), ['overlay.png', 'overlay.svg', 'shapley-values.json', 'waterfall.png', 'waterfall.svg'])
  t.match(readFileSync(join(folder, 'overlay.svg'), 'utf8'), />wonderful</)
  t.match(readFileSync(join(folder, 'waterfall.svg'), 'utf8'), />without any of it</)
})

t.test('of a picture, the patches that count speak for it', async t => {
  const folder = t.testdir()
  const [data, models] = [join(folder, 'data'), join(folder, 'models')]
  await writeTinyFashion(data, 300)
  const trained = await runRecipe(['mlp', '--data', data, '--models', models, '--epochs', '12', '--batch-size', '32', '--hidden', '32', '--name', 'bars'])
  t.equal(trained.code, 0, trained.err)
  const photo = join(folder, 'photo.png')
  const pixels = Uint8Array.from({ length: 784 }, (_, index) => Math.floor(index % 28 / 2.8) === 3 ? 255 : 20)
  writeFileSync(photo, await pixelsToPng(pixels, 28, 28, 1))
  const { code, out, err } = await run(['bars', photo, '--models', models, '--grid', '4', '--orders', '6', '--out', join(folder, 'out')])
  t.equal(code, 0, err)
  t.match(out, /what speaks for 3:/)
  const { features } = JSON.parse(readFileSync(join(folder, 'out', 'shapley-values.json'), 'utf8')) as Explained
  const columns = [0, 1, 2, 3].map(column => features.filter((_, patch) => patch % 4 === column).reduce((sum, { value }) => sum + value, 0))
  t.equal(columns.indexOf(Math.max(...columns)), 1, `the bright column is in the second of four: ${columns.join(', ')}`)
})

for (const [argv, message] of [
  [[], /^Name a model\./],
  [['sentiment'], /^Name a photo, or give a text/],
  [['sentiment', 'a.jpg', '--text', 'x'], /^Name a photo, or give a text/],
  [['nothing', '--text', 'x'], /There is no version of "nothing" in .*; there are: none/],
  [['sentiment', '--text', 'x', '--version', '77'], /There is no version 77 of "sentiment"/],
  [['sentiment', '--text', '  '], /The text has no words/],
  [['sentiment', '--text', 'good', '--class', 'blue'], /--class takes one of the model's 2 classes, not "blue": negative, positive/],
  [['sentiment', '/nonexistent.jpg'], /The photo can not be read/],
  [['sentiment', fileURLToPath(new URL('../../../docs/coffee.jpg', import.meta.url))], /text-classification/],
  [['sentiment', '--text', 'good', '--orders', '0'], /--orders takes a whole number from 2/],
  [['--nonsense'], /Unknown option '--nonsense'/]
] as const) {
  t.test(`"${argv.join(' ')}" ends with 1 and says what is wrong`, async t => {
    const { code, out, err } = await run([...argv, ...(argv.length < 2 ? [] : ['--models', shipped, '--out', t.testdir()])])
    t.equal(code, 1)
    t.match(err, message)
    t.notMatch(err, /^\s+at /m, 'no stack')
    t.notMatch(out, 'Pictures')
  })
}

t.test('help says what there is', async t => {
  t.match(await run(['--help']), { code: 0, out: /npm run explain/ })
})
