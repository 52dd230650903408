import type tf from '@tensorflow/tfjs'
import t, { type Test } from 'tap'
import { loadLibrary, type TensorValue } from '../../src/tensorflow/index.ts'
import { tensorDataset } from '../../src/training/datasets/dataset.ts'
import { binaryCrossentropy, categoricalCrossentropy, huber, sparseCategoricalCrossentropy, type LossChoice, type LossName } from '../../src/training/losses.ts'
import type { MetricName } from '../../src/training/metrics.ts'
import { sgd } from '../../src/training/optimizers.ts'
import { withSeed } from '../../src/training/random.ts'
import { tf as tfjs } from '../../src/training/tf.ts'
import { Trainer } from '../../src/training/trainer.ts'

loadLibrary()
await tfjs.setBackend('cpu')

type Activation = 'linear' | 'softmax' | 'sigmoid' | 'relu' | 'softplus'

const X: TensorValue = { dtype: 'float32', shape: [6, 3], data: Float32Array.from({ length: 18 }, (_, index) => Math.sin(index * 1.7)) }
const LABELS = [0, 3, 1, 2, 2, 0]

/** Targets as both sides take them. */
interface Targets { units: number, y: TensorValue, tensor: () => tf.Tensor }

function floats (units: number, values: number[]): Targets {
  return { units, y: { dtype: 'float32', shape: [6, units], data: Float32Array.from(values) }, tensor: () => tfjs.tensor2d(values, [6, units]) }
}

const classes: Targets = { units: 4, y: { dtype: 'int32', shape: [6], data: Int32Array.from(LABELS) }, tensor: () => tfjs.tensor2d(LABELS, [6, 1]) }
const oneHot = floats(4, LABELS.flatMap(label => [0, 1, 2, 3].map(index => Number(index === label))))
const yesNo: Targets = { ...floats(1, [0, 1, 1, 0, 1, 0]), y: { dtype: 'uint8', shape: [6], data: Uint8Array.of(0, 1, 1, 0, 1, 0) } }
const signs = floats(1, [-1, 1, 1, -1, 1, -1])
const numbers = floats(2, Array.from({ length: 12 }, (_, index) => Math.cos(index)))
const counts = floats(2, Array.from({ length: 12 }, (_, index) => 1 + (index * 7) % 5))
const shares = floats(4, Array.from({ length: 6 }, (_, row) => [0.1, 0.2, 0.3, 0.4].map((_share, index, all) => all[(index + row) % 4]!)).flat())

function buildModel (units: number, activation: Activation): tf.Sequential {
  return withSeed(3, () => tfjs.sequential({ layers: [tfjs.layers.dense({ units, activation, inputShape: [3], useBias: false })] }))
}

type TheirLoss = string | ((actual: tf.Tensor, predicted: tf.Tensor) => tf.Tensor)

interface Comparison { mine: LossChoice, theirs: TheirLoss, targets: Targets, activation: Activation, metrics?: MetricName[] }

/** Figures before a step of gradient descent, and after two: so gradients are compared too. */
async function compareWithLayers (t: Test, { mine, theirs, targets: { units, y, tensor }, activation, metrics = [] }: Comparison): Promise<void> {
  const reference = buildModel(units, activation)
  reference.compile({ loss: theirs, optimizer: tfjs.train.sgd(0.2), metrics })
  const expected = await reference.fit(tfjs.tensor2d(X.data as Float32Array, [6, 3]), tensor(), { epochs: 3, batchSize: 6, shuffle: false, verbose: 0 })
  const trainer = await Trainer.create({ model: buildModel(units, activation), loss: mine, optimizer: sgd({ learningRate: 0.2 }), metrics, seed: 1 })
  const { history } = await trainer.fit({ data: tensorDataset(X, y), epochs: 3, batchSize: 6, shuffle: false })
  await trainer.close()
  t.strictSame(Object.keys(history), Object.keys(expected.history))
  for (const [name, values] of Object.entries(history)) {
    values.forEach((value, epoch) => {
      const wanted = Number(expected.history[name]![epoch])
      t.ok(Math.abs(value - wanted) < 1e-5 * Math.max(1, Math.abs(wanted)), `${name} of epoch ${epoch}`, { found: value, wanted })
    })
  }
}

const named: [LossName, Activation, Targets][] = [
  ['sparseCategoricalCrossentropy', 'softmax', classes],
  ['categoricalCrossentropy', 'softmax', oneHot],
  ['categoricalCrossentropy', 'sigmoid', oneHot],
  ['binaryCrossentropy', 'sigmoid', yesNo],
  ['meanSquaredError', 'linear', numbers],
  ['meanSquaredError', 'sigmoid', numbers],
  ['meanAbsoluteError', 'linear', numbers],
  ['meanAbsolutePercentageError', 'linear', counts],
  ['meanSquaredLogarithmicError', 'softplus', counts],
  ['logcosh', 'linear', numbers],
  ['cosineProximity', 'linear', numbers],
  ['hinge', 'linear', signs],
  ['squaredHinge', 'linear', signs],
  ['categoricalHinge', 'linear', oneHot],
  ['kullbackLeiblerDivergence', 'softmax', shares],
  ['poisson', 'softplus', counts]
]

for (const [loss, activation, targets] of named) {
  t.test(`${loss} on ${activation} learns as in tf.layers`, async t => { await compareWithLayers(t, { mine: loss, theirs: loss, targets, activation }) })
}

for (const [loss, activation, targets] of named.slice(0, 4)) {
  t.test(`accuracy with ${loss} on ${activation} is that of tf.layers`, async t => { await compareWithLayers(t, { mine: loss, theirs: loss, targets, activation, metrics: ['accuracy'] }) })
}

const { losses, Reduction } = tfjs
const softmaxLoss = (smoothing: number) => (actual: tf.Tensor, predicted: tf.Tensor): tf.Tensor => losses.softmaxCrossEntropy(actual, predicted, 1, smoothing, Reduction.MEAN)
const sigmoidLoss = (smoothing: number) => (actual: tf.Tensor, predicted: tf.Tensor): tf.Tensor => losses.sigmoidCrossEntropy(actual, predicted, 1, smoothing, Reduction.MEAN)

for (const labelSmoothing of [0, 0.2]) {
  const options = { fromLogits: true, labelSmoothing }
  t.test(`crossentropies take logits, with a smoothing of ${labelSmoothing}`, async t => {
    await compareWithLayers(t, { mine: categoricalCrossentropy(options), theirs: softmaxLoss(labelSmoothing), targets: oneHot, activation: 'linear' })
    await compareWithLayers(t, { mine: sparseCategoricalCrossentropy(options), theirs: softmaxLoss(labelSmoothing), targets: { ...classes, tensor: oneHot.tensor }, activation: 'linear' })
    await compareWithLayers(t, { mine: binaryCrossentropy(options), theirs: sigmoidLoss(labelSmoothing), targets: yesNo, activation: 'linear' })
  })
}

t.test('Huber\'s loss is a square near 0 and a line beyond its delta', async t => {
  await compareWithLayers(t, { mine: 'huber', theirs: (actual, predicted) => losses.huberLoss(actual, predicted, 1, 1), targets: counts, activation: 'linear' })
  await compareWithLayers(t, { mine: huber({ delta: 0.3 }), theirs: (actual, predicted) => losses.huberLoss(actual, predicted, 1, 0.3), targets: numbers, activation: 'linear' })
})

t.test('a loss of your own is a function on the graph', async t => {
  const mine: LossChoice = (scope, target, { output }) => scope.mean(scope.op('Pow', [scope.op('Abs', [scope.sub(output, target)]), scope.number(1.5)]), [-1])
  await compareWithLayers(t, { mine, theirs: (actual, predicted) => tfjs.mean(tfjs.pow(tfjs.abs(tfjs.sub(predicted, actual)), 1.5)), targets: numbers, activation: 'linear' })
})

t.test('a model that is sure and wrong has a finite loss, and a gradient to learn from', async t => {
  for (const [loss, activation] of [['sparseCategoricalCrossentropy', 'softmax'], ['binaryCrossentropy', 'sigmoid']] as const) {
    const units = activation === 'softmax' ? 4 : 1
    const model = buildModel(units, activation)
    model.setWeights([tfjs.fill([3, units], 0).add(units === 1 ? -200 : tfjs.tensor1d([200, -200, -200, -200]))])
    const x: TensorValue = { dtype: 'float32', shape: [1, 3], data: Float32Array.of(1, 1, 1) }
    const y: TensorValue = { dtype: 'int32', shape: [1], data: Int32Array.of(1) }
    const trainer = await Trainer.create({ model, loss, optimizer: sgd({ learningRate: 1 }), seed: 1 })
    const { history } = await trainer.fit({ data: tensorDataset(x, y), epochs: 2, batchSize: 1 })
    const [first = 0, second = 0] = history['loss']!
    t.ok(first > 500 && Number.isFinite(first), `${loss} is as large as it is`, { first })
    t.ok(second < first, `${loss} has got smaller`, { second })
    await trainer.close()
  }
})

t.test('sparse targets may be a step longer than rows: one class for each step', async t => {
  const model = withSeed(1, () => tfjs.sequential({ layers: [tfjs.layers.dense({ units: 4, activation: 'softmax', inputShape: [5, 3] })] }))
  const x: TensorValue = { dtype: 'float32', shape: [2, 5, 3], data: Float32Array.from({ length: 30 }, (_, index) => Math.sin(index)) }
  const y: TensorValue = { dtype: 'int32', shape: [2, 5], data: Int32Array.from({ length: 10 }, (_, index) => index % 4) }
  const trainer = await Trainer.create({ model, loss: 'sparseCategoricalCrossentropy', optimizer: sgd({ learningRate: 1 }), metrics: ['accuracy'], seed: 1 })
  const { history } = await trainer.fit({ data: tensorDataset(x, y), epochs: 60 })
  t.ok(history['loss']!.at(-1)! < history['loss']![0]!)
  await trainer.close()
})
