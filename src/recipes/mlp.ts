import type tf from '@tensorflow/tfjs'
import { gatherRows, rowRange, tensorDataset } from '../training/datasets/dataset.ts'
import { loadMnist, MNIST, mnistData, MNIST_CONTRACT, MNIST_SIDE } from '../training/datasets/mnist.ts'
import { adam } from '../training/optimizers.ts'
import type { Recipe } from '../training/recipe.ts'
import { tf as tfjs } from '../training/tf.ts'
import { choice, float } from '../training/tuning/search-space.ts'
import { hiddenLayers } from './hidden-layers.ts'

interface MlpOptions {
  /** Units of each hidden layer, in order. */
  readonly hiddenLayers: readonly number[]
  readonly classes: number
  /** After each hidden layer; 0: none. */
  readonly dropout: number
}

/** A multi-layer perceptron: each layer sees all of the one before it. */
export function createMlp ({ hiddenLayers, classes, dropout }: MlpOptions): tf.LayersModel {
  const { layers } = tfjs
  return tfjs.sequential({
    layers: [
      layers.inputLayer({ inputShape: [MNIST_SIDE, MNIST_SIDE, 1], name: 'pixels' }),
      layers.rescaling({ scale: 1 / 255 }),
      layers.flatten(),
      ...hiddenLayers.flatMap(units => [
        layers.dense({ units, activation: 'relu', kernelInitializer: 'heNormal' }),
        layers.dropout({ rate: dropout })
      ]),
      layers.dense({ units: classes, activation: 'softmax', name: 'probabilities' })
    ]
  })
}

const DROPOUT = 0.2

/** A multi-layer perceptron on MNIST. */
export const mlp: Recipe = {
  name: 'mlp',
  summary: 'multi-layer perceptron for handwritten digits (MNIST)',
  data: mnistData(MNIST),
  options: { hidden: { description: 'units of the hidden layers', default: '512,256' } },
  tuning: {
    objective: { figure: 'val_acc', direction: 'max' },
    space: {
      hidden: choice(['128', '256,128', '512,256', '256,128,64']),
      batchSize: choice([64, 128, 256]),
      learningRate: float(1e-4, 1e-2, { isLog: true })
    }
  },
  settings: {
    epochs: 10,
    batchSize: 128,
    learningRate: 0.001,
    seed: 1
  },
  modelName: () => 'mlp',

  async run (run) {
    const hidden = hiddenLayers(run.option('hidden'))
    const { train, test } = await loadMnist(MNIST, run.data)
    const trained = await run.train({
      model: run.build(() => createMlp({ hiddenLayers: hidden, classes: MNIST.labels.length, dropout: DROPOUT })),
      loss: 'sparseCategoricalCrossentropy',
      optimizer: adam({ learningRate: run.settings.learningRate }),
      inputTypes: { pixels: 'uint8' },
      data: tensorDataset(train.images, train.labels),
      heldOut: tensorDataset(test.images, test.labels)
    })
    return await run.export({
      ...trained,
      manifest: { task: 'image-classification', labels: [...MNIST.labels], image: MNIST_CONTRACT },
      golden: [{ inputs: { pixels: gatherRows(test.images, rowRange(0, 2)) } }],
      origin: MNIST.origin
    })
  }
}
