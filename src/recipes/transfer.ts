import type tf from '@tensorflow/tfjs'
import { sparseCategoricalCrossentropy } from '../training/losses.ts'
import type { Recipe } from '../training/recipe.ts'
import { tf as tfjs } from '../training/tf.ts'
import { choice, float } from '../training/tuning/search-space.ts'
import { trainOnFrozenBase } from './frozen-base.ts'
import { modelNameOf, PHOTO_DATA, PHOTO_OPTIONS } from './photos.ts'

const UNITS = 512
/** Smoothed, which keeps a head that knows every photo from growing surer of them still. */
export const HEAD_LOSS = sparseCategoricalCrossentropy({ labelSmoothing: 0.1 })
const DROPOUT = 0.5 // of the units; the head has ten times as many weights as there are photos

/** A hidden layer over the base's features: it may put together what the base saw. */
export function headLayers (classes: number): tf.layers.Layer[] {
  const { layers } = tfjs
  return [
    layers.dense({ units: UNITS, activation: 'relu', kernelInitializer: 'heNormal' }),
    layers.dropout({ rate: DROPOUT }),
    layers.dense({ units: classes, activation: 'softmax', name: 'probabilities' })
  ]
}

export function buildHead (features: number, classes: number): tf.LayersModel {
  return tfjs.sequential({ layers: [tfjs.layers.inputLayer({ inputShape: [features], name: 'features' }), ...headLayers(classes)] })
}

/** Transfer learning as it is taught: a frozen base, a head of one hidden layer. */
export const transfer: Recipe = {
  name: 'transfer',
  summary: 'photos by a frozen ImageNet base (EfficientNet-Lite0) and a head of 512 units',
  data: PHOTO_DATA,
  options: PHOTO_OPTIONS,
  tuning: {
    objective: { figure: 'val_acc', direction: 'max' },
    space: {
      batchSize: choice([16, 32, 64]),
      learningRate: float(3e-5, 3e-3, { isLog: true })
    }
  },
  settings: { epochs: 20, batchSize: 32, learningRate: 0.0003, seed: 1 },
  modelName: data => modelNameOf(data, 'transfer'),
  run: async run => await trainOnFrozenBase(run, buildHead, HEAD_LOSS)
}
