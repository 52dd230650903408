import t from 'tap'
import { createResNet } from '../../src/recipes/resnet.ts'
import { loadLibrary, type TensorValue } from '../../src/tensorflow/index.ts'
import { buildPredictor, closePredictor, predict } from '../../src/training/predictor.ts'
import { seededRandom, withSeed } from '../../src/training/random.ts'
import { tf } from '../../src/training/tf.ts'

loadLibrary()
await tf.setBackend('cpu')

t.test('with a side of 224 and a width of 64 it is ResNet-18: as many weights are learned', t => {
  const { trainableWeights } = createResNet({ side: 224, classes: 1000, width: 64 })
  t.equal(trainableWeights.reduce((sum, { shape }) => sum + shape.reduce<number>((product, side) => product * side!, 1), 0), 11_689_512)
  t.end()
})

for (const side of [16, 64]) {
  t.test(`a small one for pictures of ${side} pixels answers in TensorFlow as in tf.layers`, async t => {
    const model = withSeed(4, () => createResNet({ side, classes: 3, width: 4, blocks: [1, 2] }))
    const values = await Promise.all(model.weights.map(async weight => [weight, { dtype: 'float32', shape: weight.shape, data: await weight.read().data() }] as [unknown, TensorValue]))
    const predictor = await buildPredictor(model, values, { pixels: 'uint8' })
    t.teardown(async () => { await closePredictor(predictor) })
    const random = seededRandom(1)
    const pixels: TensorValue = { dtype: 'uint8', shape: [2, side, side, 3], data: Uint8Array.from({ length: 2 * side * side * 3 }, () => 256 * random()) }
    const expected = await (model.predict(tf.tensor(Float32Array.from(pixels.data as Uint8Array), [2, side, side, 3])) as tf.Tensor).data()
    const found = (await predict(predictor, { pixels }))['probabilities']!.data as Float32Array
    t.equal(found.length, 6)
    found.forEach((value, index) => t.ok(Math.abs(value - expected[index]!) < 1e-5, `${value} and ${expected[index]}`))
  })
}
