import t from 'tap'
import { multiplicationsOfRow, trainingThreads } from '../../src/training/session-threads.ts'
import { tf } from '../../src/training/tf.ts'

const { layers, sequential } = tf

t.test('a dense model multiplies once for each weight', async t => {
  const model = sequential({ layers: [layers.dense({ units: 256, inputShape: [784] }), layers.dropout({ rate: 0.2 }), layers.dense({ units: 10 })] })
  t.equal(multiplicationsOfRow(model), 784 * 256 + 256 * 10)
  t.equal(trainingThreads(model), 1)
})

t.test('a convolution does so at each place of its output', async t => {
  const model = sequential({ layers: [layers.conv2d({ filters: 32, kernelSize: 3, inputShape: [32, 32, 3] }), layers.flatten(), layers.dense({ units: 10 })] })
  t.equal(multiplicationsOfRow(model), 30 * 30 * 3 * 3 * 3 * 32 + 30 * 30 * 32 * 10)
  t.equal(trainingThreads(model), undefined)
})

t.test('a recurrent layer does so at each step, an embedding not at all', async t => {
  const model = sequential({ layers: [layers.embedding({ inputDim: 1000, outputDim: 8, inputLength: 20 }), layers.lstm({ units: 4 }), layers.dense({ units: 1 })] })
  t.equal(multiplicationsOfRow(model), 20 * (8 * 16 + 4 * 16) + 4)
})

t.test('a model inside a model counts', async t => {
  const inner = sequential({ layers: [layers.dense({ units: 7, inputShape: [3] })] })
  t.equal(multiplicationsOfRow(sequential({ layers: [inner, layers.dense({ units: 2 })] })), 21 + 14)
})
