import t from 'tap'
import { descend, Neuron } from '../../src/recipes/neuron-by-hand.ts'
import { writeTinyFashion } from '../support/idx-files.ts'
import { runRecipe } from '../support/run-recipe.ts'
import { trainVersion } from '../support/trained-version.ts'

const data = t.testdir()
await writeTinyFashion(data, 300)

t.test('a neuron by hand learns which of two inputs counts', async t => {
  const rows = [[0, 1], [1, 1], [0, 0], [1, 0]].map(row => Float32Array.from(row))
  const examples = { rows: 4, inputs: (row: number) => rows[row]!, answer: (row: number) => rows[row]![0]! }
  const neuron = new Neuron(Float32Array.of(0, 0))
  t.strictSame([...neuron.gradient(examples, Int32Array.of(1))], [-0.5, -0.5, -0.5], 'half a probability is missing, and each input was 1')
  t.equal(neuron.accuracy(examples), 0.5)
  descend(neuron, examples, { epochs: 100, batchSize: 2, learningRate: 0.5, momentum: 0.5, seed: 1 })
  t.equal(neuron.accuracy(examples), 1)
})

t.test('by hand and in TensorFlow\'s graph a neuron gets the same weights', async t => {
  const { manifest, out } = await trainVersion(t, t.testdir(), ['neuron', '--data', data, '--epochs', '5', '--batch-size', '7'])
  t.strictSame(manifest.labels, ['T-shirt/top', 'Trouser'])
  const { accuracy, accuracyByHand, largestDifference } = manifest.training!.metrics
  t.equal(accuracy, 1)
  t.equal(accuracyByHand, 1)
  t.ok(largestDifference! < 1e-5, 'float32 beside float64')
  t.match(out, 'By hand: accuracy 1.0000; no weight differs from TensorFlow\'s by more than')
})

t.test('the perceptron has the hidden layers asked for', async t => {
  const { manifest } = await trainVersion(t, t.testdir(), ['mlp', '--data', data, '--epochs', '15', '--batch-size', '32', '--hidden', '32,16'])
  t.ok(manifest.training!.metrics['accuracy']! > 0.8, 'classes that are told apart by a bright column')
  const { out } = await runRecipe(['mlp', '--data', data, '--models', t.testdirName, '--dry-run', '--hidden', '32,16'])
  t.match(out, /Dense\) +\[rows, 32\] +25 120\n.*\n.*Dense\) +\[rows, 16\] +528\n/)
  t.match(out, '25 818 parameters: 25 818 are learned, 0 are not\n')
})

t.test('hidden layers that are none are refused', async t => {
  const { code, err } = await runRecipe(['mlp', '--data', data, '--models', t.testdir(), '--hidden', '32,many'])
  t.equal(code, 1)
  t.equal(err, '--hidden takes numbers of units with commas between, as 128,64,32, not "32,many"\n')
})

t.test('with and without regularization both gaps are told', async t => {
  const { manifest, out } = await trainVersion(t, t.testdir(), ['regularized', '--data', data, '--epochs', '8', '--batch-size', '32'])
  t.match(out, /points without, .* with\n/)
  const { metrics } = manifest.training!
  for (const name of ['accuracy', 'learnedAccuracy', 'accuracyWithout', 'learnedAccuracyWithout']) t.ok(metrics[name]! > 0.5, name)
})
