import type tf from '@tensorflow/tfjs'
import { loadLibrary, type TensorValue } from '../../src/tensorflow/index.ts'
import { tensorDataset, type Dataset } from '../../src/training/datasets/dataset.ts'
import { adam } from '../../src/training/optimizers.ts'
import { seededRandom, withSeed } from '../../src/training/random.ts'
import { tf as tfjs } from '../../src/training/tf.ts'
import type { TrainingOptions } from '../../src/training/training-graph.ts'

loadLibrary()
await tfjs.setBackend('cpu')

/** Points in a square, told apart by a curve through it. */
export function points (rows: number, seed = 1): Dataset {
  const random = seededRandom(seed)
  const x = Float32Array.from({ length: rows * 2 }, () => random() * 2 - 1)
  const y = Int32Array.from({ length: rows }, (_, row) => Number(x[2 * row]! * x[2 * row]! > x[2 * row + 1]!))
  return tensorDataset({ dtype: 'float32', shape: [rows, 2], data: x }, { dtype: 'int32', shape: [rows], data: y })
}

/** With everything that an interrupted run could forget: dropout, moving averages, an optimizer with two slots. */
export function buildSmallModel (seed = 5): tf.Sequential {
  const { layers } = tfjs
  return withSeed(seed, () => tfjs.sequential({
    layers: [
      layers.dense({ units: 8, activation: 'tanh', inputShape: [2] }),
      layers.batchNormalization(),
      layers.dropout({ rate: 0.2 }),
      layers.dense({ units: 2, activation: 'softmax' })
    ]
  }))
}

export function smallTraining (changes: Partial<TrainingOptions> = {}): TrainingOptions {
  return { model: buildSmallModel(), loss: 'sparseCategoricalCrossentropy', optimizer: adam({ learningRate: 0.02 }), metrics: ['accuracy'], seed: 3, ...changes }
}

/** Without the variables, whose names differ from one model to the next. */
export function onlyValues (values: readonly (readonly [unknown, TensorValue])[]): TensorValue[] {
  return values.map(([, value]) => value)
}
