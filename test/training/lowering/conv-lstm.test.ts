import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary } from '../../../src/tensorflow/index.ts'
import { tf as tfjs } from '../../../src/training/tf.ts'
import { compareLowering } from '../../support/compare-lowering.ts'

loadLibrary()

const { layers } = tfjs
const model = (options: object, shape = [3, 5, 4, 2]): tf.LayersModel => tfjs.sequential({ layers: [layers.inputLayer({ inputShape: shape, name: 'x' }), layers.convLstm2d({ filters: 3, kernelSize: 3, ...options })] })

for (const [what, options] of Object.entries({
  'the last step, smaller than the pictures': {},
  'all steps, of the size of the pictures': { padding: 'same', returnSequences: true },
  'every second pixel, with sigmoid gates': { kernelSize: [2, 3], strides: [2, 1], recurrentActivation: 'sigmoid' },
  'backwards, without a bias, by other activations': { goBackwards: true, useBias: false, activation: 'relu', padding: 'same' }
})) {
  t.test(`convLstm2d gives ${what}, as in tf.layers`, async t => { await compareLowering(t, model(options)) })
}

t.test('a dilation, channels first and pictures of any size are refused by name', async t => {
  for (const [options, shape, message] of [
    [{ dilationRate: 2, padding: 'same' }, [3, 5, 4, 2], /its dilationRate is \[2,2\]/],
    [{ dataFormat: 'channelsFirst' }, [3, 2, 5, 4], /its dataFormat is "?channelsFirst"?; put the channels last/],
    [{ padding: 'same' }, [3, null, 4, 2], /give the model a fixed input size/]
  ] as [object, number[], RegExp][]) await t.rejects(compareLowering(t, model(options, shape), { gradients: 'none' }), { code: 'TRAIN_CANNOT_LOWER', message })
})
