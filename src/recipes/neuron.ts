import type tf from '@tensorflow/tfjs'
import { gatherRows, rowRange, tensorDataset } from '../training/datasets/dataset.ts'
import type { LabelledImages } from '../training/datasets/idx.ts'
import { FASHION_MNIST, loadMnist, mnistData, MNIST_CONTRACT, MNIST_SIDE } from '../training/datasets/mnist.ts'
import { sgd } from '../training/optimizers.ts'
import type { Recipe } from '../training/recipe.ts'
import { tf as tfjs } from '../training/tf.ts'
import { descend, Neuron, type Examples } from './neuron-by-hand.ts'

const CLASSES = [0, 1] as const // what is worn above and what is worn below
const LABELS = CLASSES.map(label => FASHION_MNIST.labels[label]!)
const PIXELS = MNIST_SIDE * MNIST_SIDE
const MOMENTUM = 0.9

/** One neuron: a weight for each pixel, their sum squeezed between 0 and 1. */
function buildModel (): tf.LayersModel {
  const { layers } = tfjs
  return tfjs.sequential({
    layers: [
      layers.inputLayer({ inputShape: [MNIST_SIDE, MNIST_SIDE, 1], name: 'pixels' }),
      layers.rescaling({ scale: 1 / 255 }),
      layers.flatten(),
      layers.dense({ units: 1, activation: 'sigmoid', name: 'probability' })
    ]
  })
}

/** One sigmoid neuron, learned by TensorFlow's graph and again by hand in plain TypeScript: the same numbers come out. */
export const neuron: Recipe = {
  name: 'neuron',
  summary: 'one neuron that tells T-shirts from trousers, by TensorFlow and by hand (Fashion-MNIST)',
  data: mnistData(FASHION_MNIST),
  settings: {
    epochs: 10,
    batchSize: 32,
    learningRate: 0.01,
    seed: 1
  },
  modelName: () => 'neuron',

  async run (run) {
    const { train, test } = await loadMnist(FASHION_MNIST, run.data)
    const [learned, heldOut] = [twoClasses(train), twoClasses(test)]
    const model = run.build(buildModel)
    const byHand = new Neuron(model.getWeights()[0]!.dataSync() as Float32Array)
    const { epochs, batchSize, learningRate, seed } = run.settings

    const trained = await run.train({
      model,
      loss: 'binaryCrossentropy',
      optimizer: sgd({ learningRate, momentum: MOMENTUM }),
      inputTypes: { pixels: 'uint8' },
      data: tensorDataset(learned.images, learned.labels),
      heldOut: tensorDataset(heldOut.images, heldOut.labels)
    })

    descend(byHand, examplesOf(learned), { epochs, batchSize, learningRate, momentum: MOMENTUM, seed })
    const accuracy = byHand.accuracy(examplesOf(heldOut))
    const difference = largestDifference(byHand.weights, trained.values[0]![1].data as Float32Array)
    run.say(`By hand: accuracy ${accuracy.toFixed(4)}; no weight differs from TensorFlow's by more than ${difference.toExponential(1)}`)
    return await run.export({
      ...trained,
      metrics: { ...trained.metrics, accuracyByHand: accuracy, largestDifference: difference },
      manifest: { task: 'image-classification', labels: LABELS, image: MNIST_CONTRACT },
      golden: [{ inputs: { pixels: gatherRows(heldOut.images, rowRange(0, 2)) } }],
      origin: FASHION_MNIST.origin
    })
  }
}

/** The rows of the two classes, numbered 0 and 1. */
function twoClasses ({ images, labels }: LabelledImages): LabelledImages {
  const numbers = labels.data as Uint8Array
  const rows = Int32Array.from(numbers.keys()).filter(row => CLASSES.includes(numbers[row] as 0 | 1))
  return {
    images: gatherRows(images, rows),
    labels: { dtype: 'uint8', shape: [rows.length], data: Uint8Array.from(rows, row => CLASSES.indexOf(numbers[row] as 0 | 1)) }
  }
}

function examplesOf ({ images, labels }: LabelledImages): Examples {
  const pixels = images.data as Uint8Array
  const answers = labels.data as Uint8Array
  return {
    rows: answers.length,
    inputs: row => Float32Array.from(pixels.subarray(row * PIXELS, (row + 1) * PIXELS), pixel => pixel / 255),
    answer: row => answers[row]!
  }
}

function largestDifference (a: Float64Array, b: Float32Array): number {
  return b.reduce((largest, value, index) => Math.max(largest, Math.abs(a[index]! - value)), 0)
}
