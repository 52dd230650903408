import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary } from '../../../src/tensorflow/index.ts'
import { tf as tfjs } from '../../../src/training/tf.ts'
import { compareLowering } from '../../support/compare-lowering.ts'

loadLibrary()

const { layers } = tfjs

const steps = { units: 3, returnSequences: true } as const

const cases: [what: string, layer: tf.layers.Layer, inputShape: (number | null)[]][] = [
  ...(['concat', 'sum', 'ave', 'mul'] as const).flatMap(mergeMode => [
    [`bidirectional, ${mergeMode}`, layers.bidirectional({ layer: layers.lstm({ units: 3, recurrentActivation: 'sigmoid' }), mergeMode }), [4, 2]],
    [`bidirectional, ${mergeMode}, each step`, layers.bidirectional({ layer: layers.gru(steps), mergeMode }), [4, 2]]
  ] as [string, tf.layers.Layer, number[]][]),
  ['bidirectional that merges nothing', layers.bidirectional({ layer: layers.simpleRNN(steps), mergeMode: null as unknown as 'sum' }), [4, 2]],
  ['bidirectional with its states', layers.bidirectional({ layer: layers.lstm({ ...steps, returnState: true }), mergeMode: 'concat' }), [4, 2]],
  ['bidirectional that merges nothing, with its states', layers.bidirectional({ layer: layers.lstm({ units: 3, returnState: true }), mergeMode: null as unknown as 'sum' }), [4, 2]],
  ['bidirectional of a layer that goes backwards', layers.bidirectional({ layer: layers.gru({ ...steps, goBackwards: true }), mergeMode: 'concat' }), [null, 2]],

  ['timeDistributed dense', layers.timeDistributed({ layer: layers.dense({ units: 3, activation: 'tanh' }) }), [4, 2]],
  ['timeDistributed dense over any number of steps', layers.timeDistributed({ layer: layers.dense({ units: 3 }) }), [null, 2]],
  ['timeDistributed convolution', layers.timeDistributed({ layer: layers.conv2d({ filters: 2, kernelSize: 2 }) }), [3, 4, 4, 2]],
  ['timeDistributed lstm', layers.timeDistributed({ layer: layers.lstm({ units: 2 }) }), [3, 4, 2]]
]

for (const [what, layer, inputShape] of cases) {
  t.test(`${what} is what tf.layers makes of it`, async t => {
    const input = layers.input({ shape: inputShape })
    await compareLowering(t, tfjs.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor }))
  })
}

t.test('bidirectional goes on from states that it is given', async t => {
  const input = layers.input({ shape: [4, 2] })
  const states = [0, 1, 2, 3].map(() => layers.input({ shape: [3] }))
  const layer = layers.bidirectional({ layer: layers.lstm({ units: 3 }), mergeMode: 'concat' })
  await compareLowering(t, tfjs.model({ inputs: [input, ...states], outputs: layer.apply([input, ...states]) as tf.SymbolicTensor }))
})
