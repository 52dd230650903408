import t from 'tap'
import { modelSummary } from '../../src/training/model-summary.ts'
import { tf } from '../../src/training/tf.ts'

t.test('a line for each layer, then the totals', async t => {
  const { layers } = tf
  const pixels = tf.input({ shape: [8, 8, 3], name: 'pixels' })
  const wide = layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same', name: 'wide' }).apply(pixels) as tf.SymbolicTensor
  const normal = layers.batchNormalization({ name: 'normal' }).apply(wide) as tf.SymbolicTensor
  const sum = layers.add({ name: 'sum' }).apply([wide, normal]) as tf.SymbolicTensor
  const frozen = layers.conv2d({ filters: 1, kernelSize: 1, trainable: false, name: 'frozen' }).apply(sum) as tf.SymbolicTensor
  const model = tf.model({ inputs: pixels, outputs: frozen, name: 'small' })
  t.strictSame(modelSummary(model), [
    'Model "small"',
    'Layer                        Output shape     Parameters  Comes from',
    'pixels (InputLayer)          [rows, 8, 8, 3]           0',
    'wide (Conv2D)                [rows, 8, 8, 4]         112',
    'normal (BatchNormalization)  [rows, 8, 8, 4]          16',
    'sum (Add)                    [rows, 8, 8, 4]           0  wide, normal',
    'frozen (Conv2D)              [rows, 8, 8, 1]           5',
    '133 parameters: 120 are learned, 13 are not'
  ])
})

t.test('thousands are set apart', async t => {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1000, inputShape: [1233], useBias: false })] })
  t.match(modelSummary(model).at(-1), '1 233 000 parameters')
})
