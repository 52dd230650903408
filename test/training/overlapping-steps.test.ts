import t, { type Test } from 'tap'
import { TrainingDivergedError } from '../../src/errors.ts'
import { floats, hasCustomOperations, loadLibrary, type TensorValue } from '../../src/tensorflow/index.ts'
import { eachBatch } from '../../src/training/batches.ts'
import type { TrainingCallback } from '../../src/training/callbacks/callback.ts'
import { checkpoint } from '../../src/training/callbacks/checkpoint.ts'
import { tensorDataset } from '../../src/training/datasets/dataset.ts'
import { adam, sgd } from '../../src/training/optimizers.ts'
import { seededRandom, withSeed } from '../../src/training/random.ts'
import { tf } from '../../src/training/tf.ts'
import { Trainer } from '../../src/training/trainer.ts'
import type { TrainingOptions } from '../../src/training/training-graph.ts'

loadLibrary()

const { layers } = tf
const ROWS = 70
const random = seededRandom(4)
const data = tensorDataset(floats([ROWS, 6], Array.from({ length: ROWS * 6 }, random)), { dtype: 'int32', shape: [ROWS], data: Int32Array.from({ length: ROWS }, () => Math.floor(3 * random())) })
/** Each step waits until the one before it was told of. */
const oneByOne: TrainingCallback = { onStep: () => {} }

async function makeTrainer (t: Test, options: Partial<TrainingOptions> = {}): Promise<Trainer> {
  const model = withSeed(3, () => tf.sequential({
    layers: [layers.dense({ units: 8, activation: 'relu', inputShape: [6] }), layers.batchNormalization(), layers.dropout({ rate: 0.3 }), layers.dense({ units: 3, activation: 'softmax' })]
  }))
  const trainer = await Trainer.create({ model, loss: 'sparseCategoricalCrossentropy', optimizer: adam({ learningRate: step => 0.02 / (1 + step) }), metrics: ['accuracy'], seed: 5, ...options })
  t.teardown(() => trainer.close())
  return trainer
}

async function weights (trainer: Trainer): Promise<TensorValue[]> {
  return (await trainer.values()).map(([, value]) => value)
}

const cases: [what: string, options: Partial<TrainingOptions>][] = [
  ['dropout, batch norm and a schedule', {}],
  ['gradients of two steps', { accumulate: 2 }],
  ['products in bfloat16', { precision: 'bfloat16' }],
  ['float16 with its scale', { precision: 'float16' }]
]

for (const [what, options] of cases) {
  t.test(`steps that overlap learn the same to the bit as one after another: ${what}`, async t => {
    const [overlapping, waiting] = [await makeTrainer(t, options), await makeTrainer(t, options)]
    const found = await overlapping.fit({ data, epochs: 4, batchSize: 8 })
    t.strictSame(found, await waiting.fit({ data, epochs: 4, batchSize: 8, callbacks: [oneByOne] }))
    t.strictSame(await weights(overlapping), await weights(waiting))
  })
}

t.test('a run that is stopped while steps overlap goes on to the same end', async t => {
  const path = `${t.testdir()}/state`
  const [whole, stopped, resumed] = [await makeTrainer(t), await makeTrainer(t), await makeTrainer(t)]
  await whole.fit({ data, epochs: 3, batchSize: 8 })
  const stop = new AbortController()
  const seen: number[] = []
  const watch: TrainingCallback = { onlyWatches: true, onStep: ({ steps }) => { seen.push(steps); if (steps === 12) stop.abort() } }
  const history = await stopped.fit({ data, epochs: 3, batchSize: 8, callbacks: [watch, checkpoint({ path })], signal: stop.signal })
  t.ok(history.stopped)
  t.strictSame(seen, Array.from({ length: hasCustomOperations() ? 13 : 12 }, (_, index) => index + 1), 'the step under way is told of too')
  await resumed.fit({ data, epochs: 3, batchSize: 8, callbacks: [checkpoint({ path })], resume: path })
  t.strictSame(await weights(resumed), await weights(whole))
})

t.test('a step that fails leaves a trainer that learns on', async t => {
  const model = tf.sequential({ layers: [layers.embedding({ inputDim: 4, outputDim: 2, inputLength: 1 }), layers.flatten(), layers.dense({ units: 2, activation: 'softmax' })] })
  const trainer = await Trainer.create({ model, loss: 'sparseCategoricalCrossentropy', optimizer: adam(), seed: 1 })
  t.teardown(() => trainer.close())
  const numbers = (...values: number[]) => tensorDataset({ dtype: 'int32', shape: [values.length, 1], data: Int32Array.from(values) }, { dtype: 'int32', shape: [values.length], data: new Int32Array(values.length) })
  const given = { epochs: 2, batchSize: 1, shuffle: false }
  await t.rejects(trainer.fit({ data: numbers(1, 2, 9, 3, 1, 2), ...given }), /indices|not in \[0, 4\)/)
  await t.rejects(trainer.fit({ data: tensorDataset(floats([2, 3], [1, 2, 3, 4, 5, 6]), { dtype: 'int32', shape: [2], data: new Int32Array(2) }), ...given }), { code: 'TRAIN_BAD_DATASET' })
  const { history } = await trainer.fit({ data: numbers(1, 2, 3, 3, 1, 2), ...given })
  t.equal(history['loss']!.length, 2)
  t.ok((await trainer.evaluate(numbers(0, 1)))['loss']! > 0)
})

t.test('a run that diverges says so in which batch, and ends what is under way', async t => {
  const trainer = await makeTrainer(t, { optimizer: sgd({ learningRate: 1e30 }) })
  await t.rejects(trainer.fit({ data, epochs: 5, batchSize: 8 }), TrainingDivergedError)
  t.equal((await weights(trainer)).length, 8)
})

t.test('batches that overlap are finished in their order, all that were begun', async t => {
  const plan = { data, order: Int32Array.from({ length: 50 }, (_, row) => row), batchSize: 10 }
  const events: string[] = []
  let [begun, underWay, most] = [0, 0, 0]
  const begin = async (): Promise<number> => {
    const number = ++begun
    most = Math.max(most, ++underWay)
    await new Promise(resolve => setTimeout(resolve, number % 2 === 1 ? 20 : 1))
    underWay--
    return number
  }
  await eachBatch(plan, { begin, finish: number => { events.push(`${number}`); return number < 3 }, atOnce: 2 })
  t.strictSame([events, most, underWay], [['1', '2', '3', '4'], 2, 0])
  await t.rejects(eachBatch(plan, { begin, finish: () => { throw new Error('full') }, atOnce: 2 }), { message: 'full' })
  t.equal(underWay, 0, 'nothing is under way after a failure')
})
