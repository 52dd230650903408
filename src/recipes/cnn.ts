import type tf from '@tensorflow/tfjs'
import { flipLeftRight, shift } from '../training/augmentation.ts'
import { earlyStopping } from '../training/callbacks/early-stopping.ts'
import type { Recipe } from '../training/recipe.ts'
import { adam } from '../training/optimizers.ts'
import { oneCycle } from '../training/schedules.ts'
import { tf as tfjs } from '../training/tf.ts'
import { CIFAR10_DATA, CIFAR10_SIDE, CIFAR10_LABELS } from '../training/datasets/cifar10.ts'
import { choice, float } from '../training/tuning/search-space.ts'
import { trainOnCifar10 } from './cifar10-classification.ts'

const BLOCKS = [32, 64, 128] // filters: twice as many where the picture is half as wide
const UNITS = 128
const BLOCK_DROPOUT = 0.1
const DROPOUT = 0.5
const SHIFT = 0.125 // of the side, 4 pixels: as a crop out of a picture padded by 4
const PATIENCE = 5 // epochs without a better validation loss

/** Two convolutions see 5×5 pixels for less than one of that size; then the picture is halved. */
function block (filters: number): tf.layers.Layer[] {
  const { layers } = tfjs
  const convolution = (): tf.layers.Layer[] => [
    layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, kernelInitializer: 'heNormal' }),
    layers.batchNormalization(),
    layers.activation({ activation: 'relu' })
  ]
  return [...convolution(), ...convolution(), layers.maxPooling2d({ poolSize: 2 }), layers.dropout({ rate: BLOCK_DROPOUT })]
}

function buildModel (): tf.LayersModel {
  const { layers } = tfjs
  return tfjs.sequential({
    layers: [
      layers.inputLayer({ inputShape: [CIFAR10_SIDE, CIFAR10_SIDE, 3], name: 'pixels' }),
      layers.rescaling({ scale: 1 / 127.5, offset: -1 }),
      ...BLOCKS.flatMap(block),
      layers.flatten(),
      layers.dense({ units: UNITS, activation: 'relu', kernelInitializer: 'heNormal' }),
      layers.dropout({ rate: DROPOUT }),
      layers.dense({ units: CIFAR10_LABELS.length, activation: 'softmax', name: 'probabilities' })
    ]
  })
}

/** Three blocks of convolutions on CIFAR-10. */
export const cnn: Recipe = {
  name: 'cnn',
  summary: 'convolutional network for ten kinds of things (CIFAR-10)',
  data: CIFAR10_DATA,
  tuning: {
    objective: { figure: 'val_acc', direction: 'max' },
    space: {
      batchSize: choice([32, 64, 128]),
      learningRate: float(5e-4, 1e-2, { isLog: true })
    }
  },
  settings: { epochs: 12, batchSize: 64, learningRate: 0.003, seed: 1 },
  modelName: () => 'cnn',

  run: async run => await trainOnCifar10(run, {
    buildModel,
    optimizer: steps => adam({ learningRate: oneCycle(run.settings.learningRate, { steps }) }),
    augment: [flipLeftRight(), shift(SHIFT)],
    callbacks: [earlyStopping({ patience: PATIENCE })]
  })
}
