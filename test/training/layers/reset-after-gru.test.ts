import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary } from '../../../src/tensorflow/index.ts'
import { ResetAfterGru } from '../../../src/training/layers/reset-after-gru.ts'
import { tf as tfjs } from '../../../src/training/tf.ts'
import { compareLowering } from '../../support/compare-lowering.ts'

loadLibrary()

const { layers } = tfjs

for (const [what, options] of Object.entries({
  'its last output': {},
  'all outputs': { returnSequences: true },
  'all outputs and its state, backwards': { returnSequences: true, goBackwards: true },
  'other activations and no bias': { activation: 'relu', recurrentActivation: 'hardSigmoid', useBias: false }
})) {
  t.test(`a GRU that resets after the product gives ${what}, lowered as in tf.layers`, async t => {
    await compareLowering(t, tfjs.sequential({ layers: [layers.inputLayer({ inputShape: [4, 2], name: 'x' }), new ResetAfterGru({ units: 3, ...options })] }))
  })
}

t.test('it goes on from states that it is given, and survives a round trip through JSON', async t => {
  const [input, first] = [layers.input({ shape: [4, 2] }), layers.input({ shape: [3] })]
  const model = tfjs.model({ inputs: [input, first], outputs: new ResetAfterGru({ units: 3, dropout: 0.5 }).apply([input, first]) as tf.SymbolicTensor })
  await compareLowering(t, model, { gradients: 'none' })
  const again = await tfjs.models.modelFromJSON({ modelTopology: model.toJSON(undefined, false) })
  t.strictSame(again.layers.at(-1)!.getConfig(), model.layers.at(-1)!.getConfig())
})
