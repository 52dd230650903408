import type tf from '@tensorflow/tfjs'
import type { Recipe } from '../training/recipe.ts'
import { tf as tfjs } from '../training/tf.ts'
import { choice, float } from '../training/tuning/search-space.ts'
import { trainOnFrozenBase } from './frozen-base.ts'
import { modelNameOf, PHOTO_DATA, PHOTO_OPTIONS } from './photos.ts'

// There are more features than photos, as a rule: both keep the head from learning photos by heart. With them every seed ends within a
// percent of the others, without them within four.
const DROPOUT = 0.2
const L2 = 0.02

/** One layer over the base's features: what few photos can teach. */
function buildHead (featureCount: number, classes: number): tf.LayersModel {
  const { layers } = tfjs
  return tfjs.sequential({
    layers: [
      layers.inputLayer({ inputShape: [featureCount], name: 'features' }),
      layers.dropout({ rate: DROPOUT }),
      layers.dense({ units: classes, activation: 'softmax', kernelRegularizer: tfjs.regularizers.l2({ l2: L2 }), name: 'probabilities' })
    ]
  })
}

/** A classifier of your own photos, with as little to learn as can be. */
export const imageFolder: Recipe = {
  name: 'image-folder',
  summary: 'classifier of your own photos, on what the model "imagenet" sees in them',
  data: PHOTO_DATA,
  options: PHOTO_OPTIONS,
  tuning: {
    objective: { figure: 'val_acc', direction: 'max' },
    space: {
      batchSize: choice([16, 32, 64]),
      learningRate: float(1e-4, 1e-2, { isLog: true })
    }
  },
  settings: {
    epochs: 40, // an epoch over a thousand photos takes a tenth of a second
    batchSize: 32,
    learningRate: 0.001,
    seed: 1
  },
  modelName: data => modelNameOf(data, 'image-folder'),
  run: async run => await trainOnFrozenBase(run, buildHead)
}
