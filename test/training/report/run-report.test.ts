import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { writeTinyFashion } from '../../support/idx-files.ts'
import { runRecipe } from '../../support/run-recipe.ts'

const data = t.testdir()
await writeTinyFashion(data, 300)

/** What is read of the files here. */
interface Report {
  epoch: number[]
  history: object
  accuracy: number
  accuracyWithout?: number
  rows: number
  classes: { rows: number }[]
  confusionMatrix: number[][]
  rates: number[]
}

/** @returns the one folder that the run left */
async function run (directory: string, argv: readonly string[]): Promise<{ folder: string, json: (name: string) => Report }> {
  const runs = join(directory, 'runs')
  const { code, err, out } = await runRecipe([...argv, '--data', data, '--models', join(directory, 'models'), '--runs', runs, '--name', 'trained'])
  t.equal(code, 0, err)
  const found = readdirSync(join(runs, 'trained'))
  t.equal(found.length, 1, 'one folder, and nothing that was left aside')
  const folder = join(runs, 'trained', found[0]!)
  t.match(out, folder, 'the user is told where it is')
  return { folder, json: name => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Report }
}

t.test('after a run there are its history, figures, settings and pictures', async t => {
  const { folder, json } = await run(t.testdir(), ['mlp', '--epochs', '3', '--batch-size', '32', '--hidden', '16'])
  t.strictSame(readdirSync(folder).sort(), [
    'accuracy.png', 'accuracy.svg', 'confusion-matrix.png', 'confusion-matrix.svg', 'history.json', 'learning-rate.png', 'learning-rate.svg', 'loss.png', 'loss.svg',
    'metrics.json', 'mistakes.json', 'mistakes.png', 'mistakes.svg', 'model.txt', 'settings.json'
  ])
  const { epoch, history } = json('history.json')
  t.strictSame(epoch, [0, 1, 2])
  t.strictSame(Object.keys(history).sort(), ['acc', 'loss', 'val_acc', 'val_loss'])
  t.match(json('settings.json'), { recipe: 'mlp', epochs: 3, batchSize: 32, learningRate: 0.001, seed: 1, hidden: '16', data, command: /^npm run train -- mlp/, version: /trained\/1$/ })
  t.match(readFileSync(join(folder, 'model.txt'), 'utf8'), /Dense/)

  const { accuracy, rows, classes, confusionMatrix } = json('metrics.json')
  const right = confusionMatrix.reduce((sum, counts, label) => sum + counts[label]!, 0)
  t.equal(rows, 300)
  t.ok(Math.abs(right / rows - accuracy) < 1e-6, 'the matrix agrees with what the graph measured')
  t.equal(classes.length, 10)
  t.equal(classes.reduce((sum, figures) => sum + figures.rows, 0), 300)

  const mistakes = JSON.parse(readFileSync(join(folder, 'mistakes.json'), 'utf8')) as { is: string, takenFor: string, score: number }[]
  t.equal(mistakes.length, Math.min(24, rows - right))
  for (const { is, takenFor, score } of mistakes) {
    t.not(is, takenFor)
    t.ok(score > 0.1 && score <= 1)
  }
  for (const name of ['accuracy', 'confusion-matrix', 'learning-rate', 'loss', 'mistakes']) {
    const { width, height } = await sharp(readFileSync(join(folder, `${name}.png`))).metadata()
    const [, svgWidth, svgHeight] = /<svg[^>]* width="(\d+)" height="(\d+)"/.exec(readFileSync(join(folder, `${name}.svg`), 'utf8'))!
    t.strictSame([width, height], [2 * Number(svgWidth), 2 * Number(svgHeight)], name)
  }
})

t.test('a training beside the main one has its own folder', async t => {
  const { folder, json } = await run(t.testdir(), ['regularized', '--epochs', '2', '--batch-size', '64'])
  t.ok(readdirSync(folder).includes('loss.svg'))
  t.ok(readdirSync(join(folder, 'without')).includes('loss.svg'))
  t.equal(json('metrics.json').accuracyWithout, json('without/metrics.json').accuracy)
})

t.test('learning rates that were tried are drawn', async t => {
  const { folder, json } = await run(t.testdir(), ['mlp', '--hidden', '16', '--find-learning-rate'])
  t.strictSame(readdirSync(folder).sort(), ['learning-rates.json', 'learning-rates.png', 'learning-rates.svg', 'settings.json'])
  t.equal(json('learning-rates.json').rates[0], 1e-7)
})

t.test('a model is exported although its pictures can not be written', async t => {
  const directory = t.testdir()
  const folder = join(directory, 'runs', 'trained')
  const argv = ['neuron', '--data', data, '--epochs', '1', '--models', join(directory, 'models'), '--runs', join(directory, 'runs'), '--name', 'trained']
  const { code, out } = await runRecipe(argv, undefined, text => {
    if (text.startsWith('Exported')) writeFileSync(folder, 'in the way')
  })
  t.equal(code, 0)
  t.match(out, /Exported .*\nThe run's pictures could not be written: /)
})

t.test('of texts, the surest mistakes are shown as texts', async t => {
  const directory = t.testdir()
  const lines = Array.from({ length: 80 }, (_, row) => `text ${row % 4} of <many>,${row % 4 === 3 && row % 8 === 3 ? 'odd' : ['red', 'blue', 'red', 'blue'][row % 4]!}`)
  writeFileSync(join(directory, 'texts.csv'), ['text,label', ...lines].join('\n'))
  const { code, err } = await runRecipe(['text-file', '--data', join(directory, 'texts.csv'), '--models', join(directory, 'models'), '--runs', join(directory, 'runs'), '--name', 'texts', '--epochs', '3'])
  t.equal(code, 0, err)
  const folder = join(directory, 'runs', 'texts', readdirSync(join(directory, 'runs', 'texts'))[0]!)
  const mistakes = JSON.parse(readFileSync(join(folder, 'mistakes.json'), 'utf8')) as { text: string, is: string, takenFor: string }[]
  t.ok(mistakes.length > 0, 'one text has two labels')
  for (const { text, is, takenFor } of mistakes) {
    t.match(text, /^text \d of <many>$/)
    t.not(is, takenFor)
  }
  t.match(readFileSync(join(folder, 'mistakes.svg'), 'utf8'), />text \d of &lt;many&gt;</)
})
