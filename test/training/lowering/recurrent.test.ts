import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary } from '../../../src/tensorflow/index.ts'
import { tf as tfjs } from '../../../src/training/tf.ts'
import { compareLowering, type Comparison } from '../../support/compare-lowering.ts'

loadLibrary()

const { layers } = tfjs

type Case = [what: string, layer: tf.layers.Layer, inputShape: (number | null)[], comparison?: Comparison]

const fused = { units: 3, recurrentActivation: 'sigmoid' } as const

const cases: Case[] = [
  ['lstm, fused', layers.lstm(fused), [4, 2]],
  ['lstm, fused, each step', layers.lstm({ ...fused, returnSequences: true }), [4, 2]],
  ['lstm, fused, backwards, without bias', layers.lstm({ ...fused, goBackwards: true, returnSequences: true, useBias: false }), [4, 2]],
  ['lstm, fused, with its state', layers.lstm({ ...fused, returnState: true }), [4, 2]],
  ['lstm, fused, over any number of steps', layers.lstm({ ...fused, returnSequences: true }), [null, 2]],
  ['lstm', layers.lstm({ units: 3 }), [4, 2]],
  ['lstm, each step', layers.lstm({ units: 3, returnSequences: true }), [4, 2]],
  ['lstm over any number of steps, with its state', layers.lstm({ units: 3, returnSequences: true, returnState: true }), [null, 2]],
  ['lstm of other activations, backwards, without bias', layers.lstm({ units: 3, activation: 'relu', recurrentActivation: 'tanh', goBackwards: true, useBias: false, returnSequences: true }), [4, 2]],
  ['simpleRNN', layers.simpleRNN({ units: 3 }), [4, 2]],
  ['simpleRNN, each step, backwards', layers.simpleRNN({ units: 3, returnSequences: true, goBackwards: true, activation: 'elu' }), [4, 2]],
  ['simpleRNN without bias, with its state', layers.simpleRNN({ units: 3, returnState: true, useBias: false }), [4, 2]],
  ['gru', layers.gru({ units: 3 }), [4, 2]],
  ['gru with sigmoid gates, each step', layers.gru({ units: 3, recurrentActivation: 'sigmoid', returnSequences: true }), [4, 2]],
  ['gru backwards, without bias, with its state', layers.gru({ units: 3, goBackwards: true, useBias: false, returnState: true }), [4, 2]],
  ['gru of one unit', layers.gru({ units: 1 }), [4, 2]],
  ['rnn of a gru cell', layers.rnn({ cell: layers.gruCell({ units: 3 }), returnSequences: true }), [4, 2]],
  ['rnn of stacked cells', layers.rnn({ cell: layers.stackedRNNCells({ cells: [layers.lstmCell({ units: 3 }), layers.gruCell({ units: 2 }), layers.simpleRNNCell({ units: 4 })] }), returnState: true }), [4, 2]],
  ['rnn of a list of cells', layers.rnn({ cell: [layers.simpleRNNCell({ units: 3 }), layers.lstmCell({ units: 2 })], returnSequences: true }), [4, 2]]
]

for (const [what, layer, inputShape, comparison] of cases) {
  t.test(`${what} is what tf.layers makes of it`, async t => {
    const input = layers.input({ shape: inputShape })
    await compareLowering(t, tfjs.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor }), comparison)
  })
}

t.test('lstm, fused, passes on gradients of its mean, which do not say how many steps they are for', async t => {
  const lstm = layers.lstm({ ...fused, returnSequences: true })
  await compareLowering(t, tfjs.sequential({ layers: [layers.inputLayer({ inputShape: [4, 2] }), lstm, layers.globalAveragePooling1d({})] }))
})
