import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary, type TensorValue } from '../../../src/tensorflow/index.ts'
import { buildPredictor, closePredictor, predict } from '../../../src/training/predictor.ts'
import { tf as tfjs } from '../../../src/training/tf.ts'
import { compareLowering, toValue } from '../../support/compare-lowering.ts'

loadLibrary()

const { layers } = tfjs

const recurrent: [what: string, make: (options: object) => tf.layers.Layer, states: number][] = [
  ['simpleRNN', options => layers.simpleRNN({ units: 3, ...options }), 1],
  ['gru', options => layers.gru({ units: 3, ...options }), 1],
  ['lstm', options => layers.lstm({ units: 3, ...options }), 2],
  ['lstm, fused', options => layers.lstm({ units: 3, recurrentActivation: 'sigmoid', ...options }), 2]
]

for (const [what, make, states] of recurrent) {
  t.test(`${what} goes on from states that it is given`, async t => {
    const input = layers.input({ shape: [4, 2] })
    const first = Array.from({ length: states }, () => layers.input({ shape: [3] }))
    const outputs = make({ returnSequences: true }).apply([input, ...first]) as tf.SymbolicTensor
    await compareLowering(t, tfjs.model({ inputs: [input, ...first], outputs }))
  })

  t.test(`${what}, stateful, goes on from the batch before`, async t => {
    const layer = make({ stateful: true, returnSequences: true })
    const model = tfjs.sequential({ layers: [layers.inputLayer({ batchInputShape: [2, 3, 2], name: 'x' }), layer] })
    const values = await Promise.all(model.getWeights().map(async weight => [undefined, await toValue(weight)] as const))
    const predictor = await buildPredictor(model, values)
    t.teardown(() => closePredictor(predictor))
    for (const seed of [1, 2, 3]) {
      const x = tfjs.randomUniform([2, 3, 2], -1, 1, 'float32', seed)
      const expected = await toValue(model.predict(x) as tf.Tensor)
      const found = Object.values(await predict(predictor, { x: await toValue(x) }))[0]!
      t.ok(isNear(found, expected), `batch ${seed}`)
    }
  })
}

t.test('a decoder goes on from its encoder\'s states', async t => {
  const [words, answer] = [layers.input({ shape: [4, 2] }), layers.input({ shape: [3, 2] })]
  const [, h, c] = layers.lstm({ units: 3, returnState: true }).apply(words) as tf.SymbolicTensor[]
  const decoded = layers.lstm({ units: 3, returnSequences: true }).apply([answer, h!, c!]) as tf.SymbolicTensor
  await compareLowering(t, tfjs.model({ inputs: [words, answer], outputs: decoded }))
})

t.test('a recurrent layer used twice shares its weights', async t => {
  const shared = layers.gru({ units: 3 })
  const inputs = [layers.input({ shape: [4, 2] }), layers.input({ shape: [2, 2] })]
  const outputs = inputs.map(input => shared.apply(input) as tf.SymbolicTensor)
  await compareLowering(t, tfjs.model({ inputs, outputs: layers.multiply().apply(outputs) as tf.SymbolicTensor }))
})

t.test('recurrent layers one above the other, fused and not, pass gradients down', async t => {
  const model = tfjs.sequential({
    layers: [
      layers.dense({ units: 3, inputShape: [4, 2] }),
      layers.lstm({ units: 3, recurrentActivation: 'sigmoid', returnSequences: true }),
      layers.gru({ units: 2, returnSequences: true }),
      layers.lstm({ units: 3, recurrentActivation: 'sigmoid' })
    ]
  })
  await compareLowering(t, model)
})

t.test('a stateful layer wants a fixed batch size', async t => {
  const input = layers.input({ shape: [4, 2] })
  t.throws(() => layers.lstm({ units: 1, stateful: true, name: 'remember' }).apply(input), /needs to know its batch size/, 'so says tf.layers already')
})

function isNear (found: TensorValue, expected: TensorValue): boolean {
  return (expected.data as Float32Array).every((number, index) => Math.abs(number - Number(found.data[index])) < 1e-5)
}
