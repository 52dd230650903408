import type tf from '@tensorflow/tfjs'
import { loadLibrary } from '../../src/tensorflow/index.ts'
import { tensorDataset } from '../../src/training/datasets/dataset.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { tf as tfjs } from '../../src/training/tf.ts'
import type { TrainingOptions } from '../../src/training/training-graph.ts'

loadLibrary()
await tfjs.setBackend('cpu')

const ROWS = 8
const X = Float32Array.from({ length: ROWS * 2 }, (_, index) => Math.sin(index * 2.3) * 2)
const Y = Float32Array.from({ length: ROWS }, (_, row) => Math.cos(row))

export const linearData = tensorDataset({ dtype: 'float32', shape: [ROWS, 2], data: X }, { dtype: 'float32', shape: [ROWS, 1], data: Y })
export const FIRST_WEIGHTS = [0.5, -0.3]

/** The gradient of the mean squared error of `w · x`, by hand, in float64. @param rows all if left out */
export function gradientAt (weights: readonly number[], rows: readonly number[] = Array.from(Y.keys())): number[] {
  return weights.map((_, column) => {
    const sum = rows.reduce((sum, row) => sum + 2 * (weights[0]! * X[2 * row]! + weights[1]! * X[2 * row + 1]! - Y[row]!) * X[2 * row + column]!, 0)
    return sum / rows.length
  })
}

function buildLinear (): tf.Sequential {
  const model = tfjs.sequential({ layers: [tfjs.layers.dense({ units: 1, useBias: false, inputShape: [2] })] })
  model.setWeights([tfjs.tensor2d(FIRST_WEIGHTS, [2, 1])])
  return model
}

/** @returns the weights of `w · x` after so many steps, each with all rows unless `batchSize` says fewer */
export async function trainLinear (options: Omit<TrainingOptions, 'model' | 'loss' | 'seed'>, steps: number, batchSize = ROWS): Promise<number[]> {
  const trainer = await Trainer.create({ model: buildLinear(), loss: 'meanSquaredError', seed: 1, ...options })
  await trainer.fit({ data: linearData, epochs: steps * batchSize / ROWS, batchSize, shuffle: false })
  const [[, weights] = []] = await trainer.values()
  await trainer.close()
  return Array.from(weights!.data as Float32Array)
}
