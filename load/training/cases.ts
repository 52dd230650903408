import type tf from '@tensorflow/tfjs'
import type { TensorValue } from '../../src/tensorflow/index.ts'
import { seededRandom } from '../../src/training/random.ts'
import { tf as tfjs } from '../../src/training/tf.ts'

/** A model and made-up data of the right shape: how fast it is learned from does not depend on what it says. keras_fit.py has the same. */
export interface TrainingCase {
  readonly batchSize: number
  /** Learned from in an epoch. */
  readonly rows: number
  /** For tfjs-node where it would take minutes: what a row takes is what is compared. */
  readonly tfjsRows?: number
  readonly classes: number
  buildModel (): tf.LayersModel
  /** One for the model's only input, [rows, …]. */
  inputs (rows: number): TensorValue
}

const VOCABULARY = 10_000
const STEPS = 200

export const CASES = {
  mlp: {
    batchSize: 64,
    rows: 19_200,
    classes: 10,
    inputs: rows => pixels(rows, [784]),
    buildModel () {
      const { layers } = tfjs
      return tfjs.sequential({
        layers: [
          layers.dense({ units: 256, activation: 'relu', inputShape: [784] }), layers.dropout({ rate: 0.2 }),
          layers.dense({ units: 128, activation: 'relu' }), layers.dropout({ rate: 0.2 }),
          layers.dense({ units: 10, activation: 'softmax' })
        ]
      })
    }
  },
  cnn: {
    batchSize: 64,
    rows: 1920,
    classes: 10,
    inputs: rows => pixels(rows, [32, 32, 3]),
    buildModel () {
      const { layers } = tfjs
      return tfjs.sequential({
        layers: [
          layers.conv2d({ filters: 32, kernelSize: 3, activation: 'relu', inputShape: [32, 32, 3] }), layers.maxPooling2d({ poolSize: 2 }),
          layers.conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }), layers.maxPooling2d({ poolSize: 2 }),
          layers.conv2d({ filters: 128, kernelSize: 3, activation: 'relu' }), layers.maxPooling2d({ poolSize: 2 }),
          layers.flatten(), layers.dense({ units: 128, activation: 'relu' }), layers.dropout({ rate: 0.5 }),
          layers.dense({ units: 10, activation: 'softmax' })
        ]
      })
    }
  },
  lstm: {
    batchSize: 64,
    rows: 640,
    tfjsRows: 128,
    classes: 2,
    inputs: rows => tokens(rows),
    buildModel () {
      const { layers } = tfjs
      return tfjs.sequential({
        layers: [
          layers.embedding({ inputDim: VOCABULARY, outputDim: 100, inputLength: STEPS }),
          layers.lstm({ units: 64, recurrentActivation: 'sigmoid' }), layers.dropout({ rate: 0.5 }),
          layers.dense({ units: 64, activation: 'relu' }), layers.dropout({ rate: 0.5 }),
          layers.dense({ units: 2, activation: 'softmax' })
        ]
      })
    }
  }
} satisfies Record<string, TrainingCase>

export type CaseName = keyof typeof CASES

/** Class numbers, int32 [rows]. */
export function labels (rows: number, classes: number): TensorValue {
  const random = seededRandom(2)
  return { dtype: 'int32', shape: [rows], data: Int32Array.from({ length: rows }, () => Math.floor(random() * classes)) }
}

/** In 0…1. */
function pixels (rows: number, sides: readonly number[]): TensorValue {
  const random = seededRandom(1)
  const size = sides.reduce((product, side) => product * side, rows)
  return { dtype: 'float32', shape: [rows, ...sides], data: Float32Array.from({ length: size }, random) }
}

function tokens (rows: number): TensorValue {
  const random = seededRandom(1)
  return { dtype: 'int32', shape: [rows, STEPS], data: Int32Array.from({ length: rows * STEPS }, () => Math.floor(random() * VOCABULARY)) }
}
