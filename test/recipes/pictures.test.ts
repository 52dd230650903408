import t from 'tap'
import { writeTinyCifar } from '../support/cifar-files.ts'
import { runRecipe } from '../support/run-recipe.ts'
import { trainVersion } from '../support/trained-version.ts'

const data = t.testdir()
await writeTinyCifar(data, 60)

t.test('cnn takes photos as bytes and names ten kinds of things', async t => {
  const { manifest } = await trainVersion(t, t.testdir(), ['cnn', '--data', data, '--epochs', '2', '--batch-size', '16'])
  t.equal(manifest.labels?.length, 10)
  t.match(manifest.image, { width: 32, height: 32, channels: 3, scaling: { where: 'graph' } })
  t.equal(manifest.training?.metrics['rows'], 60)
})

t.test('a recipe that has no data of its own asks for it', async t => {
  for (const [recipe, message] of [['cnn', 'Say where CIFAR-10 is: --data DIR\n'], ['mlp', 'Say where MNIST\'s four IDX files are: --data DIR\n'], ['lstm', 'Say where the reviews are: --data DIR\n']] as const) {
    const { code, err } = await runRecipe([recipe, '--models', t.testdirName])
    t.equal(code, 1)
    t.equal(err, message)
  }
})
