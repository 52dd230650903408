import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parseManifest } from '../../../src/registry/manifest.ts'
import { main } from '../../../src/training/tuning/command.ts'
import { childTrials } from '../../../src/training/tuning/trial-child.ts'
import { writeTinyFashion } from '../../support/idx-files.ts'

const data = t.testdir()
await writeTinyFashion(data, 100)

/** Runs the command as a user would. */
async function run (argv: readonly string[], signal = new AbortController().signal): Promise<{ code: number, out: string, err: string }> {
  const written = { out: '', err: '' }
  const code = await main(argv, {
    out: { write: text => { written.out += text } },
    err: { write: text => { written.err += text } },
    cacheDirectory: '/nonexistent',
    signal
  })
  return { code, ...written }
}

t.test('a search ends in a version of the best, and its trials are kept', async t => {
  const [models, directory] = [t.testdir(), join(t.testdirName, 'search')]
  const argv = ['fashion', '--data', data, '--epochs', '2', '--models', models, '--dir', directory]
  const { code, out, err } = await run([...argv, '--trials', '2'])
  t.equal(code, 0, err)
  t.match(out, /Trial \d {2}done {2}val_acc 0\.\d{4}[^]*\nBest: trial \d, val_acc [^]*Exported .*fashion\/1\nHistory.*\n$/)
  t.strictSame((await readdir(join(directory, 'trials'))).sort(), ['0.json', '1.json'])
  for (const name of ['best-so-far.svg', 'best-so-far.png', 'parallel-coordinates.svg', 'parallel-coordinates.png']) t.ok((await readdir(directory)).includes(name), name)
  t.match(await readFile(join(directory, 'parallel-coordinates.svg'), 'utf8'), />learningRate<[^]*>val_acc</)
  const path = join(models, 'fashion', '1', 'model.json')
  t.match(parseManifest(path, await readFile(path, 'utf8')).training, { recipe: 'fashion', command: /npm run tune/ })

  const again = await run([...argv, '--trials', '3', '--no-export'])
  t.equal(again.code, 0, again.err)
  t.match(again.out, /^2 trials of an earlier run are kept/)
  t.equal(again.out.match(/^Trial /gm)?.length, 1, 'only the third is run')
  t.strictSame(await readdir(join(models, 'fashion')), ['1'])
})

t.test('a trial in a process that fails says why', async t => {
  const order = { recipe: 'fashion', data, modelsDir: 'models', hyperparameters: { units: 'many' }, epochs: 1, seeds: [1], objective: { figure: 'val_acc', direction: 'max' } } as const
  t.match(await childTrials(1)(order, () => {}).ended, { kind: 'failed', reason: /--units takes a whole number/ })
})

t.test('a search in which every trial fails says why, and exports nothing', async t => {
  const { code, err } = await run(['fashion', '--data', '/nonexistent', '--trials', '1', '--epochs', '1', '--models', t.testdir(), '--dir', join(t.testdirName, 'search')])
  t.equal(code, 1)
  t.match(err, /None of 1 trials gave a figure; the last: .*nonexistent/)
})

t.test('a stopped search ends with 130 and says how to go on', async t => {
  const stop = new AbortController()
  const running = run(['fashion', '--data', data, '--trials', '50', '--epochs', '50', '--models', t.testdir(), '--dir', join(t.testdirName, 'search')], stop.signal)
  setTimeout(() => { stop.abort() }, 500)
  const { code, err } = await running
  t.equal(code, 130)
  t.match(err, /^Stopped\. The same command goes on after the \d+ trials/)
})

t.test('what can not be understood is refused before anything runs', async t => {
  for (const [argv, message] of [
    [[], /Name a recipe/], [['nothing'], /There is no recipe "nothing"/], [['fashion', '--search', 'genetic'], /random, grid, halving, bayesian/], [['fashion', '--trials', '0'], /whole number from 1/]
  ] as const) {
    const { code, err } = await run(argv)
    t.equal(code, 1)
    t.match(err, message)
  }
})
