import type tf from '@tensorflow/tfjs'
import t, { type Test } from 'tap'
import { loadLibrary, type TensorValue } from '../../src/tensorflow/index.ts'
import { tensorDataset, type Dataset } from '../../src/training/datasets/dataset.ts'
import type { LossName } from '../../src/training/losses.ts'
import { sgd } from '../../src/training/optimizers.ts'
import { withSeed } from '../../src/training/random.ts'
import { balancedClassWeights } from '../../src/training/row-weights.ts'
import { tf as tfjs } from '../../src/training/tf.ts'
import { Trainer } from '../../src/training/trainer.ts'
import type { TrainingOptions } from '../../src/training/training-graph.ts'

loadLibrary()
await tfjs.setBackend('cpu')

const ROWS = 6
const LABELS = [0, 2, 1, 2, 2, 0]
const WEIGHTS = [1, 0, 2, 0.5, 3, 0.25]
const CLASS_WEIGHTS = { 0: 0.5, 2: 3 }
const x = Float32Array.from({ length: ROWS * 3 }, (_, index) => Math.sin(index * 1.7))
const X: TensorValue = { dtype: 'float32', shape: [ROWS, 3], data: x }
const hot = Float32Array.from(LABELS.flatMap(label => [0, 1, 2].map(index => Number(index === label))))
const yes = Float32Array.from(LABELS, label => Number(label === 2))

const targets: Record<string, { units: number, activation: 'softmax' | 'sigmoid', y: TensorValue, tensor: () => tf.Tensor }> = {
  sparseCategoricalCrossentropy: { units: 3, activation: 'softmax', y: { dtype: 'int32', shape: [ROWS], data: Int32Array.from(LABELS) }, tensor: () => tfjs.tensor2d(LABELS, [ROWS, 1]) },
  categoricalCrossentropy: { units: 3, activation: 'softmax', y: { dtype: 'float32', shape: [ROWS, 3], data: hot }, tensor: () => tfjs.tensor2d(hot, [ROWS, 3]) },
  binaryCrossentropy: { units: 1, activation: 'sigmoid', y: { dtype: 'float32', shape: [ROWS, 1], data: yes }, tensor: () => tfjs.tensor2d(yes, [ROWS, 1]) }
}

function buildModel (units: number, activation: 'softmax' | 'sigmoid'): tf.Sequential {
  return withSeed(3, () => tfjs.sequential({ layers: [tfjs.layers.dense({ units, activation, inputShape: [3] })] }))
}

async function train (options: Partial<TrainingOptions>, data: Dataset): Promise<{ losses: number[], evaluated: number }> {
  const { loss = 'sparseCategoricalCrossentropy' } = options
  const { units, activation } = targets[loss as string]!
  const trainer = await Trainer.create({ model: buildModel(units, activation), loss, optimizer: sgd({ learningRate: 0.5 }), seed: 1, ...options })
  const { history } = await trainer.fit({ data, epochs: 3, batchSize: ROWS, shuffle: false })
  const { loss: evaluated } = await trainer.evaluate(data)
  await trainer.close()
  return { losses: history['loss']!, evaluated: evaluated! }
}

function areNear (t: Test, found: number[], expected: unknown[]): void {
  t.ok(found.every((value, index) => Math.abs(value - Number(expected[index])) < 1e-5), 'losses of three steps', { found, expected })
}

for (const loss of Object.keys(targets) as LossName[]) {
  t.test(`class weights with ${loss} learn as in tf.layers, and do not count when measuring`, async t => {
    const { units, activation, y, tensor } = targets[loss]!
    const weights = loss === 'binaryCrossentropy' ? { 0: 0.5, 1: 3 } : CLASS_WEIGHTS
    const theirs = buildModel(units, activation)
    theirs.compile({ loss, optimizer: tfjs.train.sgd(0.5) })
    const { history } = await theirs.fit(tfjs.tensor2d(x, [ROWS, 3]), tensor(), { epochs: 3, batchSize: ROWS, shuffle: false, verbose: 0, classWeight: { 1: 1, ...weights } })
    const mine = await train({ loss, classWeights: weights }, tensorDataset(X, y))
    areNear(t, mine.losses, history['loss']!)
    const [expected] = await (theirs.evaluate(tfjs.tensor2d(x, [ROWS, 3]), tensor()) as tf.Scalar).data()
    t.ok(Math.abs(mine.evaluated - expected!) < 1e-5)
  })
}

t.test('a row of weight 2 counts as two rows do, one of weight 0 not at all', async t => {
  const labels: TensorValue = { dtype: 'int32', shape: [ROWS], data: Int32Array.from(LABELS) }
  const all = await train({ sampleWeights: 'rows' }, tensorDataset(X, labels, { dtype: 'float32', shape: [ROWS], data: Float32Array.of(1, 0, 2, 1, 1, 1) }))
  const copied = [0, 2, 2, 3, 4, 5]
  const twice = tensorDataset({ ...X, data: Float32Array.from(copied.flatMap(row => Array.from(x.subarray(3 * row, 3 * row + 3)))) }, { ...labels, data: Int32Array.from(copied, row => LABELS[row]!) })
  areNear(t, all.losses, (await train({}, twice)).losses)
})

t.test('both kinds of weights are multiplied, and batches without weights count as one', async t => {
  const labels: TensorValue = { dtype: 'int32', shape: [ROWS], data: Int32Array.from(LABELS) }
  const together = LABELS.map((label, row) => WEIGHTS[row]! * ({ 0: 0.5, 1: 1, 2: 3 }[label] ?? 0))
  const weighted = (weights: number[]): Dataset => tensorDataset(X, labels, { dtype: 'float32', shape: [ROWS], data: Float32Array.from(weights) })
  areNear(t, (await train({ classWeights: CLASS_WEIGHTS, sampleWeights: 'rows' }, weighted(WEIGHTS))).losses, (await train({ sampleWeights: 'rows' }, weighted(together))).losses)
  areNear(t, (await train({ sampleWeights: 'rows' }, tensorDataset(X, labels))).losses, (await train({}, tensorDataset(X, labels))).losses)
})

t.test('steps of a row can have their own weights', async t => {
  const model = withSeed(1, () => tfjs.sequential({ layers: [tfjs.layers.dense({ units: 3, activation: 'softmax', inputShape: [2, 3] })] }))
  const trainer = await Trainer.create({ model, loss: 'sparseCategoricalCrossentropy', optimizer: sgd(), sampleWeights: 'steps', seed: 1 })
  const steps: TensorValue = { dtype: 'float32', shape: [3, 2, 3], data: x }
  const y: TensorValue = { dtype: 'int32', shape: [3, 2], data: Int32Array.from(LABELS) }
  const of = async (weights: number[]): Promise<number> => (await trainer.evaluate(tensorDataset(steps, y, { dtype: 'float32', shape: [3, 2], data: Float32Array.from(weights) })))['loss']!
  const single = await Promise.all(WEIGHTS.map((_, step) => of(WEIGHTS.map((_weight, other) => Number(other === step)))))
  t.ok(Math.abs(await of(WEIGHTS) - single.reduce((sum, loss, step) => sum + loss * WEIGHTS[step]!, 0)) < 1e-5)
  await trainer.close()
})

t.test('weights that nobody asked for are refused, and class weights for several outputs', async t => {
  const labels: TensorValue = { dtype: 'int32', shape: [ROWS], data: Int32Array.from(LABELS) }
  await t.rejects(train({}, tensorDataset(X, labels, { dtype: 'float32', shape: [ROWS], data: Float32Array.from(WEIGHTS) })), { code: 'TRAIN_BAD_DATASET', message: 'The batches have weights: create the trainer with sampleWeights' })
  const input = tfjs.layers.input({ shape: [3] })
  const outputs = [1, 2].map(units => tfjs.layers.dense({ units }).apply(input) as tf.SymbolicTensor)
  await t.rejects(Trainer.create({ model: tfjs.model({ inputs: input, outputs }), loss: 'meanSquaredError', optimizer: sgd(), classWeights: CLASS_WEIGHTS, seed: 1 }), { message: /Expected a model with one output for classWeights but received one with 2/ })
})

t.test('balanced weights make classes count the same in all', async t => {
  t.strictSame(balancedClassWeights([0, 1, 1, 1, 0, 1, 1, 1], 3), { 0: 8 / 6, 1: 8 / 18, 2: 1 })
})
