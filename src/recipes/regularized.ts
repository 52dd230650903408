import type tf from '@tensorflow/tfjs'
import { gatherRows, rowRange, tensorDataset } from '../training/datasets/dataset.ts'
import { FASHION_MNIST, loadMnist, mnistData, MNIST_CONTRACT, MNIST_SIDE } from '../training/datasets/mnist.ts'
import { adam, adamW, type Optimizer } from '../training/optimizers.ts'
import { closePredictor } from '../training/predictor.ts'
import type { Recipe } from '../training/recipe.ts'
import type { Trained } from '../training/recipe-run.ts'
import { cosineDecay } from '../training/schedules.ts'
import { tf as tfjs } from '../training/tf.ts'
import { createMlp } from './mlp.ts'

const HIDDEN = [256, 128, 64]
const DROPOUTS = [0.2, 0.2, 0.1] // less where there are fewer units to lose
const WEIGHT_DECAY = 0.02 // of each weight, times the learning rate, a step

/** The same perceptron three times held back: weights kept small, each layer's output normalized, units left out at random. */
function createRegularized (classes: number): tf.LayersModel {
  const { layers } = tfjs
  return tfjs.sequential({
    layers: [
      layers.inputLayer({ inputShape: [MNIST_SIDE, MNIST_SIDE, 1], name: 'pixels' }),
      layers.rescaling({ scale: 1 / 255 }),
      layers.flatten(),
      ...HIDDEN.flatMap((units, index) => [
        layers.dense({ units, activation: 'relu', kernelInitializer: 'heNormal' }),
        layers.batchNormalization(),
        layers.dropout({ rate: DROPOUTS[index]! })
      ]),
      layers.dense({ units: classes, activation: 'softmax', name: 'probabilities' })
    ]
  })
}

/** What regularization is for: how far a model is better on what it learned from than on what it never saw, with and without. */
export const regularized: Recipe = {
  name: 'regularized',
  summary: 'perceptron with batch normalization, dropout and weight decay, beside one without (Fashion-MNIST)',
  data: mnistData(FASHION_MNIST),
  settings: {
    epochs: 20, // enough for the one without to learn images by heart
    batchSize: 128,
    learningRate: 0.001,
    seed: 1
  },
  modelName: () => 'regularized',

  async run (run) {
    const { train, test } = await loadMnist(FASHION_MNIST, run.data)
    const classes = FASHION_MNIST.labels.length
    const { epochs, batchSize } = run.settings
    const learningRate = cosineDecay(run.settings.learningRate, { steps: epochs * Math.ceil(train.labels.data.length / batchSize) })
    const fit = async (model: tf.LayersModel, optimizer: Optimizer, name?: string): Promise<Trained> => await run.train({
      ...(name !== undefined && { name }),
      model,
      loss: 'sparseCategoricalCrossentropy',
      optimizer,
      inputTypes: { pixels: 'uint8' },
      data: tensorDataset(train.images, train.labels),
      heldOut: tensorDataset(test.images, test.labels),
      measuresLearned: true
    })

    run.say('Without regularization:')
    const plain = await fit(run.build(() => createMlp({ hiddenLayers: HIDDEN, classes, dropout: 0 })), adam({ learningRate }), 'without')
    await closePredictor(plain.predictor)
    run.say('With it:')
    const trained = await fit(run.build(() => createRegularized(classes)), adamW({ learningRate, weightDecay: WEIGHT_DECAY }))
    run.say(`Accuracy on learned rows over that on held-out ones: ${gapOf(plain).toFixed(1)} points without, ${gapOf(trained).toFixed(1)} with`)
    return await run.export({
      ...trained,
      metrics: { ...trained.metrics, accuracyWithout: plain.metrics['accuracy']!, learnedAccuracyWithout: plain.metrics['learnedAccuracy']! },
      manifest: { task: 'image-classification', labels: [...FASHION_MNIST.labels], image: MNIST_CONTRACT },
      golden: [{ inputs: { pixels: gatherRows(test.images, rowRange(0, 2)) } }],
      origin: FASHION_MNIST.origin
    })
  }
}

/** By how many points a model is better on what it learned from than on what it never saw. */
function gapOf ({ metrics }: Trained): number {
  return 100 * (metrics['learnedAccuracy']! - metrics['accuracy']!)
}
