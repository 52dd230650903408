import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary, type TensorValue } from '../../src/tensorflow/index.ts'
import { tensorDataset } from '../../src/training/datasets/dataset.ts'
import { adagrad, adam, adamax, rmsprop, sgd, type Optimizer } from '../../src/training/optimizers.ts'
import { withSeed } from '../../src/training/random.ts'
import { tf as tfjs } from '../../src/training/tf.ts'
import { Trainer } from '../../src/training/trainer.ts'

loadLibrary()
await tfjs.setBackend('cpu')

const x = Float32Array.from({ length: 30 }, (_, index) => Math.sin(index * 2.3))
const y = Float32Array.from({ length: 10 }, (_, index) => Math.cos(index))
const data = tensorDataset({ dtype: 'float32', shape: [10, 3], data: x }, { dtype: 'float32', shape: [10, 1], data: y })

const buildModel = (): tf.Sequential => withSeed(5, () => tfjs.sequential({
  layers: [tfjs.layers.dense({ units: 6, activation: 'tanh', inputShape: [3] }), tfjs.layers.dense({ units: 1 })]
}))

const pairs: [name: string, mine: Optimizer, theirs: () => tf.Optimizer][] = [
  ['adam', adam(), () => tfjs.train.adam()],
  ['adam with its own numbers', adam({ learningRate: 0.05, beta1: 0.8, beta2: 0.99, epsilon: 1e-3 }), () => tfjs.train.adam(0.05, 0.8, 0.99, 1e-3)],
  ['sgd', sgd({ learningRate: 0.1 }), () => tfjs.train.sgd(0.1)],
  ['momentum', sgd({ learningRate: 0.05, momentum: 0.9 }), () => tfjs.train.momentum(0.05, 0.9)],
  ['nesterov', sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true }), () => tfjs.train.momentum(0.05, 0.9, true)],
  ['rmsprop', rmsprop({ learningRate: 0.01 }), () => tfjs.train.rmsprop(0.01)],
  ['rmsprop with momentum', rmsprop({ learningRate: 0.01, decay: 0.8, momentum: 0.5, epsilon: 1e-3 }), () => tfjs.train.rmsprop(0.01, 0.8, 0.5, 1e-3)],
  ['adagrad', adagrad({ learningRate: 0.05 }), () => tfjs.train.adagrad(0.05)],
  ['adamax', adamax({ learningRate: 0.01 }), () => tfjs.train.adamax(0.01)]
]

for (const [name, mine, theirs] of pairs) {
  t.test(`ten epochs of three steps with ${name} leave the weights that tfjs leaves`, async t => {
    const model = buildModel()
    model.compile({ loss: 'meanSquaredError', optimizer: theirs() })
    await model.fit(tfjs.tensor2d(x, [10, 3]), tfjs.tensor2d(y, [10, 1]), { epochs: 10, batchSize: 4, shuffle: false, verbose: 0 })
    const trainer = await Trainer.create({ model: buildModel(), loss: 'meanSquaredError', optimizer: mine, seed: 1 })
    await trainer.fit({ data, epochs: 10, batchSize: 4, shuffle: false })
    const values = await trainer.values()
    for (const [index, weight] of model.getWeights().entries()) {
      const found = values[index]![1].data as Float32Array
      const worst = Math.max(...weight.dataSync().map((value, at) => Math.abs(value - found[at]!)))
      t.ok(worst < 1e-5, `weight ${index}`, { worst })
    }
    await trainer.close()
  })
}

t.test('the learning rate may change while training', async t => {
  const trainer = await Trainer.create({ model: buildModel(), loss: 'meanSquaredError', optimizer: sgd({ learningRate: 0.1 }), seed: 1 })
  const before = await trainer.values()
  trainer.learningRate = 0
  await trainer.fit({ data, epochs: 1 })
  t.strictSame((await trainer.values()).map(([, value]: [unknown, TensorValue]) => value), before.map(([, value]) => value))
  await trainer.close()
})
