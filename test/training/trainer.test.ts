import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary, type TensorValue } from '../../src/tensorflow/index.ts'
import { tensorDataset, type Dataset } from '../../src/training/datasets/dataset.ts'
import { adam, sgd } from '../../src/training/optimizers.ts'
import { seededRandom, withSeed } from '../../src/training/random.ts'
import { tf as tfjs } from '../../src/training/tf.ts'
import type { StepReport } from '../../src/training/callbacks/callback.ts'
import { Trainer } from '../../src/training/trainer.ts'
import type { TrainingOptions } from '../../src/training/training-graph.ts'

loadLibrary()
await tfjs.setBackend('cpu')

const ROWS = 120

/** Two classes, told apart by which half of a small image is bright. */
function halves (seed = 1): { images: TensorValue, labels: TensorValue } {
  const random = seededRandom(seed)
  const labels = Int32Array.from({ length: ROWS }, () => Number(random() < 0.5))
  const pixels = new Uint8Array(ROWS * 64)
  labels.forEach((label, row) => {
    for (let pixel = 0; pixel < 64; pixel++) pixels[row * 64 + pixel] = (pixel < 32) === (label === 0) ? 128 + random() * 127 : random() * 128
  })
  return { images: { dtype: 'uint8', shape: [ROWS, 8, 8, 1], data: pixels }, labels: { dtype: 'int32', shape: [ROWS], data: labels } }
}

function buildModel (seed = 7): tf.LayersModel {
  return withSeed(seed, () => tfjs.sequential({
    layers: [
      tfjs.layers.inputLayer({ inputShape: [8, 8, 1], name: 'pixels' }),
      tfjs.layers.rescaling({ scale: 1 / 255 }),
      tfjs.layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }),
      tfjs.layers.batchNormalization(),
      tfjs.layers.maxPooling2d({ poolSize: 2 }),
      tfjs.layers.flatten(),
      tfjs.layers.dropout({ rate: 0.2 }),
      tfjs.layers.dense({ units: 2, activation: 'softmax', name: 'probabilities' })
    ]
  }))
}

const options = (): TrainingOptions => ({
  model: buildModel(), loss: 'sparseCategoricalCrossentropy', optimizer: adam({ learningRate: 0.01 }), metrics: ['accuracy'], seed: 11, inputTypes: { pixels: 'uint8' }
})

const { images, labels } = halves()
const data = tensorDataset(images, labels)
const validation = (() => { const { images, labels } = halves(2); return tensorDataset(images, labels) })()

t.test('a small problem is learned, and history says so as tf.layers does', async t => {
  const trainer = await Trainer.create(options())
  const { epoch, history, stopped } = await trainer.fit({ data, validation, epochs: 8, batchSize: 16 })
  t.strictSame(epoch, [0, 1, 2, 3, 4, 5, 6, 7])
  t.strictSame(Object.keys(history), ['loss', 'acc', 'val_loss', 'val_acc'])
  t.ok(Object.values(history).every(values => values.length === 8))
  t.equal(stopped, false)
  const { loss, acc } = await trainer.evaluate(validation, 16)
  t.strictSame([loss, acc], [history['val_loss']!.at(-1), history['val_acc']!.at(-1)])
  t.ok(acc! > 0.95, 'rows that were not learned from', { acc })
  await trainer.close()
})

t.test('one seed gives the same weights to the bit', async t => {
  const run = async (seed: number): Promise<TensorValue[]> => {
    const trainer = await Trainer.create({ ...options(), seed })
    await trainer.fit({ data, epochs: 2, batchSize: 16 })
    const values = await trainer.values()
    await trainer.close()
    return values.map(([, value]) => value)
  }
  const first = await run(11)
  t.strictSame(await run(11), first)
  t.notSame(await run(12), first)
})

t.test('history and weights are those of tf.layers\' own fit, a smaller last batch included', async t => {
  const build = (): tf.Sequential => withSeed(3, () => tfjs.sequential({ layers: [tfjs.layers.rescaling({ scale: 1 / 255, inputShape: [8, 8, 1] }), tfjs.layers.flatten(), tfjs.layers.dense({ units: 2, activation: 'softmax' })] }))
  const theirs = build()
  theirs.compile({ loss: 'sparseCategoricalCrossentropy', optimizer: tfjs.train.sgd(0.1), metrics: ['accuracy'] })
  const [x, y] = [tfjs.tensor4d(images.data as Uint8Array, [ROWS, 8, 8, 1], 'int32').toFloat(), tfjs.tensor2d(Float32Array.from(labels.data as Int32Array), [ROWS, 1])]
  const expected = await theirs.fit(x, y, { epochs: 2, batchSize: 50, shuffle: false, verbose: 0, validationData: [x, y] })
  const trainer = await Trainer.create({ model: build(), loss: 'sparseCategoricalCrossentropy', optimizer: sgd({ learningRate: 0.1 }), metrics: ['accuracy'], seed: 1 })
  const { history } = await trainer.fit({ data, validation: data, epochs: 2, batchSize: 50, shuffle: false })
  t.same(Object.keys(history).sort(), Object.keys(expected.history).sort())
  for (const [name, values] of Object.entries(history)) {
    values.forEach((value, epoch) => {
      const wanted = Number(expected.history[name]![epoch])
      t.ok(Math.abs(value - wanted) <= 1e-4 * Math.max(1, Math.abs(wanted)), `${name} of epoch ${epoch}`, { value, wanted })
    })
  }
  await trainer.close()
})

t.test('predict gives the outputs of all rows in their order', async t => {
  const model = buildModel()
  const trainer = await Trainer.create({ ...options(), model })
  const [probabilities] = await trainer.predict(data, 50)
  const expected = (model.predict(tfjs.tensor4d(images.data as Uint8Array, [ROWS, 8, 8, 1], 'int32')) as tf.Tensor).dataSync()
  t.strictSame(probabilities!.shape, [ROWS, 2])
  t.ok(expected.every((value, index) => Math.abs(value - Number(probabilities!.data[index])) < 1e-5))
  await trainer.close()
})

t.test('several outputs have their own losses and metrics', async t => {
  const input = tfjs.layers.input({ shape: [3], name: 'x' })
  const outputs = [tfjs.layers.dense({ units: 2, activation: 'softmax', name: 'kind' }).apply(input), tfjs.layers.dense({ units: 1, activation: 'sigmoid', name: 'sign' }).apply(input)] as tf.SymbolicTensor[]
  const trainer = await Trainer.create({
    model: tfjs.model({ inputs: input, outputs }), loss: ['sparseCategoricalCrossentropy', 'binaryCrossentropy'], optimizer: sgd(), metrics: ['accuracy'], seed: 1
  })
  const x: TensorValue = { dtype: 'float32', shape: [4, 3], data: new Float32Array(12) }
  const y: TensorValue[] = [{ dtype: 'int32', shape: [4], data: Int32Array.of(0, 1, 0, 1) }, { dtype: 'float32', shape: [4, 1], data: Float32Array.of(0, 1, 0, 1) }]
  const logs = await trainer.evaluate(tensorDataset(x, y))
  t.strictSame(Object.keys(logs), ['loss', 'kind_loss', 'sign_loss', 'kind_acc', 'sign_acc'])
  t.ok(Math.abs(logs['loss']! - 2 * Math.log(2)) < 1e-6, 'both losses together', logs)
  await trainer.close()
})

t.test('callbacks see every step and epoch', async t => {
  const trainer = await Trainer.create(options())
  const steps: StepReport[] = []
  const epochs: number[] = []
  await trainer.fit({ data, epochs: 2, batchSize: 50, callbacks: [{ onStep: report => { steps.push(report) }, onEpochEnd: epoch => { epochs.push(epoch) } }] })
  t.strictSame(steps.map(({ epoch, rowsDone, rows }) => [epoch, rowsDone, rows]), [[0, 50, 120], [0, 100, 120], [0, 120, 120], [1, 50, 120], [1, 100, 120], [1, 120, 120]])
  t.ok(steps.every(({ logs }) => Number.isFinite(logs['loss']) && Number.isFinite(logs['acc'])))
  t.strictSame(epochs, [0, 1])
  await trainer.close()
})

t.test('a signal stops after the step under way', async t => {
  const trainer = await Trainer.create(options())
  const stop = new AbortController()
  const callbacks = [{ onStep: ({ epoch, rowsDone }: StepReport) => { if (epoch === 1 && rowsDone === 32) stop.abort() } }]
  const history = await trainer.fit({ data, epochs: 5, batchSize: 16, callbacks, signal: stop.signal })
  t.equal(history.stopped, true)
  t.strictSame(history.epoch, [0])
  t.ok(Number.isFinite((await trainer.evaluate(data))['loss']), 'the weights are still there')
  await trainer.close()
})

t.test('a loss that is no number ends the run with the place where it happened', async t => {
  const trainer = await Trainer.create({ ...options(), optimizer: sgd({ learningRate: 1e30 }) })
  await t.rejects(trainer.fit({ data, epochs: 5, batchSize: 60 }), { code: 'TRAIN_DIVERGED', message: /^The loss became (NaN|Infinity) in epoch 1, step 2\. Try a smaller learning rate/ })
  await trainer.close()
})

t.test('rows that do not fit are refused by name and shape', async t => {
  const trainer = await Trainer.create(options())
  const wrong: TensorValue = { dtype: 'uint8', shape: [ROWS, 4, 4, 1], data: new Uint8Array(ROWS * 16) }
  await t.rejects(trainer.fit({ data: tensorDataset(wrong, labels), epochs: 1 }), { code: 'TRAIN_BAD_DATASET', message: 'Expected shape [rows, 8, 8, 1] for input "pixels" but received [32, 4, 4, 1]' })
  const text: TensorValue = { dtype: 'int64', shape: [ROWS], data: new BigInt64Array(ROWS) }
  await t.rejects(trainer.evaluate(tensorDataset(images, text)), { code: 'TRAIN_BAD_DATASET', message: 'Expected int32 for the target of "probabilities" but received int64' })
  await trainer.close()
})

t.test('a dataset without rows is refused', async t => {
  const trainer = await Trainer.create(options())
  const none: Dataset = { rows: 0, batch: rows => data.batch(rows) }
  await t.rejects(trainer.fit({ data: none, epochs: 1 }), { code: 'TRAIN_BAD_DATASET', message: 'There are no rows to learn from' })
  await t.rejects(trainer.fit({ data, validation: none, epochs: 1 }), { code: 'TRAIN_BAD_DATASET', message: 'There are no rows to validate with' })
  await trainer.close()
})

t.test('a dataset that fails in the middle ends the run with its error', async t => {
  const trainer = await Trainer.create(options())
  const failing: Dataset = { rows: ROWS, batch: rows => rows.length < 50 ? Promise.reject(new Error('disk gone')) : data.batch(rows) }
  await t.rejects(trainer.fit({ data: failing, epochs: 1, batchSize: 50 }), { message: 'disk gone' })
  await trainer.close()
})

t.test('the next batch is prepared while a step runs', async t => {
  const trainer = await Trainer.create(options())
  const events: string[] = []
  const watched: Dataset = { rows: ROWS, batch: rows => { events.push('prepare'); return data.batch(rows) } }
  await trainer.fit({ data: watched, epochs: 1, batchSize: 60, callbacks: [{ onStep: () => { events.push('done') } }] })
  t.strictSame(events, ['prepare', 'prepare', 'done', 'done'])
  await trainer.close()
})

t.test('an input type for an input that is not there is refused', async t => {
  await t.rejects(Trainer.create({ ...options(), inputTypes: { pixel: 'uint8' } }), { message: 'Expected inputs among pixels but received "pixel"' })
})
