import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { differenceFrom, fromGoldenTensor } from '../../src/registry/golden.ts'
import { parseManifest } from '../../src/registry/manifest.ts'
import { loadSavedModel } from '../../src/tensorflow/index.ts'
import { writeTinyFashion } from '../support/idx-files.ts'
import { runRecipe } from '../support/run-recipe.ts'

const data = t.testdir()
await writeTinyFashion(data, 300)

t.test('a run ends in a version that says what it is and gives its golden outputs', async t => {
  const models = t.testdir()
  const argv = ['fashion', '--data', data, '--models', models, '--epochs', '3', '--seed', '5']
  const { code, out, err } = await runRecipe(argv)
  t.equal(code, 0, err)
  t.match(out, /Epoch 1\/3 {2}300 in .* loss .*\n.*\n.*\nHeld-out rows: 300 {2}loss .*\nExported .*fashion\/1\nHistory.*\n$/)

  const directory = join(models, 'fashion', '1')
  const path = join(directory, 'model.json')
  const manifest = parseManifest(path, await readFile(path, 'utf8'))
  t.equal(manifest.task, 'image-classification')
  t.equal(manifest.labels?.length, 10)
  t.match(manifest.image, { width: 28, height: 28, channels: 1, scaling: { where: 'graph' } })
  t.match(manifest.training, { recipe: 'fashion', seed: 5, settings: { epochs: 3, batchSize: 64, learningRate: 0.002 }, command: `npm run train -- ${argv.join(' ')}` })
  t.equal(manifest.training?.metrics['rows'], 300)
  t.ok(manifest.training!.metrics['accuracy']! > 0.5, 'classes that are told apart by a bright column')
  t.strictSame(Object.keys(manifest.files ?? {}).sort(), ['saved_model.pb', 'variables/variables.data-00000-of-00001', 'variables/variables.index'])

  const loaded = await loadSavedModel(directory)
  for (const { inputs, outputs, tolerance } of manifest.golden!) {
    const pixels = fromGoldenTensor(path, 'pixels', inputs['pixels']!)
    const found = await loaded.run('serving_default', { pixels })
    t.equal(differenceFrom(fromGoldenTensor(path, 'probabilities', outputs['probabilities']!), found['probabilities']!, tolerance), undefined)
  }
  await loaded.dispose()
})

t.test('one seed gives the same version twice, but for the time', async t => {
  const models = t.testdir()
  for (const name of ['a', 'b']) await runRecipe(['fashion', '--data', data, '--models', models, '--epochs', '1', '--name', name])
  const variables = join('1', 'variables', 'variables.data-00000-of-00001')
  t.strictSame(await readFile(join(models, 'a', variables)), await readFile(join(models, 'b', variables)))
})

t.test('a stopped run ends with 130 and leaves nothing', async t => {
  const models = t.testdir()
  const stop = new AbortController()
  const { code, err } = await runRecipe(['fashion', '--data', data, '--models', models, '--epochs', '50'], stop.signal, () => { stop.abort() })
  t.equal(code, 130)
  t.equal(err, 'Stopped. Nothing was exported. The same command with --resume goes on.\n')
  t.strictSame(await readdir(models), [])
})

t.test('a name that can not be a model\'s is refused before anything is learned', async t => {
  const models = t.testdir()
  const { code, out, err } = await runRecipe(['fashion', '--data', data, '--models', models, '--name', '../elsewhere'])
  t.equal(code, 1)
  t.equal(out, '')
  t.match(err, /"\.\.\/elsewhere" can not be a model's name/)
})

t.test('a models folder that can not be is refused before anything is learned', async t => {
  const file = join(t.testdir({ file: '' }), 'file')
  const { code, out, err } = await runRecipe(['fashion', '--data', data, '--models', join(file, 'models')])
  t.equal(code, 1)
  t.equal(out, '')
  t.match(err, /^Models can not be written to .*file\/models: ENOTDIR/)
})
