import { join } from 'node:path'
import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary, loadSavedModel, type TensorValue } from '../../src/tensorflow/index.ts'
import { tensorDataset } from '../../src/training/datasets/dataset.ts'
import { adam } from '../../src/training/optimizers.ts'
import { buildPredictor, closePredictor, predict, savePredictor } from '../../src/training/predictor.ts'
import { withSeed } from '../../src/training/random.ts'
import { tf as tfjs } from '../../src/training/tf.ts'
import { Trainer } from '../../src/training/trainer.ts'

loadLibrary()

const ROWS = 12
const images: TensorValue = { dtype: 'uint8', shape: [ROWS, 6, 6, 1], data: Uint8Array.from({ length: ROWS * 36 }, (_, index) => (index * 37) % 256) }
const labels: TensorValue = { dtype: 'int32', shape: [ROWS], data: Int32Array.from({ length: ROWS }, (_, row) => row % 3) }

const buildModel = (): tf.LayersModel => tfjs.sequential({
  layers: [
    tfjs.layers.inputLayer({ inputShape: [6, 6, 1], name: 'pixels' }),
    tfjs.layers.rescaling({ scale: 1 / 255 }),
    tfjs.layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }),
    tfjs.layers.batchNormalization(),
    tfjs.layers.flatten(),
    tfjs.layers.dropout({ rate: 0.5 }),
    tfjs.layers.dense({ units: 3, activation: 'softmax', name: 'probabilities' })
  ]
})

t.test('a written model answers as the trained one, and nothing of the training is in it', async t => {
  const model = withSeed(1, buildModel)
  const inputTypes = { pixels: 'uint8' } as const
  const trainer = await Trainer.create({ model, loss: 'sparseCategoricalCrossentropy', optimizer: adam(), seed: 1, inputTypes })
  await trainer.fit({ data: tensorDataset(images, labels), epochs: 3, batchSize: 4 })
  const [expected] = await trainer.predict(tensorDataset(images, labels), ROWS)
  const predictor = await buildPredictor(model, await trainer.values(), inputTypes)
  await trainer.close()
  const directory = join(t.testdir(), 'model')
  await savePredictor(directory, predictor)
  t.strictSame(await predict(predictor, { pixels: images }), { probabilities: expected })
  await closePredictor(predictor)

  const loaded = await loadSavedModel(directory)
  t.strictSame(await loaded.run('serving_default', { pixels: images }), { probabilities: expected })
  t.strictSame(await loaded.missingVariables(), [])
  const { inputs, outputs } = loaded.signatures['serving_default']!
  t.strictSame([inputs['pixels']?.dtype, inputs['pixels']?.shape, outputs['probabilities']?.shape], ['uint8', [-1, 6, 6, 1], [-1, 3]])
  const operations = [...loaded.graph.operations()]
  t.strictSame(operations.filter(({ type, name }) => /Apply|Grad|Random|CrossEntropy/.test(type) || name.startsWith('training')).map(({ name }) => name), [])
  await loaded.dispose()
})
