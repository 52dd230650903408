import type tf from '@tensorflow/tfjs'
import { flipLeftRight, shift } from '../training/augmentation.ts'
import { CIFAR10_DATA, CIFAR10_LABELS, CIFAR10_SIDE } from '../training/datasets/cifar10.ts'
import { sgd } from '../training/optimizers.ts'
import type { Recipe } from '../training/recipe.ts'
import { oneCycle } from '../training/schedules.ts'
import { tf as tfjs } from '../training/tf.ts'
import { trainOnCifar10 } from './cifar10-classification.ts'

const BLOCKS = [2, 2, 2, 2] // residual blocks of each stage: ResNet-18
const L2 = 0.00025
const MOMENTUM = 0.9
const SHIFT = 0.125 // of the side, 4 pixels
/** Pictures from this side on are made smaller by the stem, as the paper does with 224; smaller ones have no pixel to lose. */
const LARGE_SIDE = 64

export interface ResNetOptions {
  /** Of the square pictures, in pixels. */
  readonly side: number
  readonly classes: number
  /** Filters of the first stage; each stage has twice those of the one before. */
  readonly width: number
  /** Residual blocks of each stage. */
  readonly blocks?: readonly number[]
}

/**
 * A residual network of basic blocks, from `pixels`, [N, side, side, 3] with 0…255. With a width of 64 and a side of 224 it is ResNet-18.
 *
 * @see https://arxiv.org/abs/1512.03385
 */
export function createResNet ({ side, classes, width, blocks = BLOCKS }: ResNetOptions): tf.LayersModel {
  const { layers } = tfjs
  const pixels = tfjs.input({ shape: [side, side, 3], name: 'pixels' })
  const scaled = layers.rescaling({ scale: 1 / 127.5, offset: -1 }).apply(pixels) as tf.SymbolicTensor
  const stem = side < LARGE_SIDE
    ? activated(convolution(scaled, width))
    : layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }).apply(activated(convolution(scaled, width, { size: 7, strides: 2 }))) as tf.SymbolicTensor
  const stages = blocks.flatMap((count, stage) => Array.from({ length: count }, (_, index) => ({ filters: width * 2 ** stage, strides: stage > 0 && index === 0 ? 2 : 1 })))
  const seen = stages.reduce((x, { filters, strides }) => addBlock(x, filters, strides), stem)
  const features = layers.globalAveragePooling2d({}).apply(seen) as tf.SymbolicTensor
  return tfjs.model({ inputs: pixels, outputs: layers.dense({ units: classes, activation: 'softmax', name: 'probabilities' }).apply(features) as tf.SymbolicTensor })
}

/** What two convolutions add to their input; where that has another shape, it is projected. */
function addBlock (input: tf.SymbolicTensor, filters: number, strides: number): tf.SymbolicTensor {
  const added = convolution(activated(convolution(input, filters, { strides })), filters)
  const shortcut = strides === 1 && input.shape.at(-1) === filters ? input : convolution(input, filters, { size: 1, strides })
  return activated(tfjs.layers.add().apply([added, shortcut]) as tf.SymbolicTensor)
}

function convolution (x: tf.SymbolicTensor, filters: number, { size = 3, strides = 1 } = {}): tf.SymbolicTensor {
  const { layers } = tfjs
  const filtered = layers.conv2d({ filters, kernelSize: size, strides, padding: 'same', useBias: false, kernelInitializer: 'heNormal', kernelRegularizer: tfjs.regularizers.l2({ l2: L2 }) }).apply(x)
  return layers.batchNormalization().apply(filtered) as tf.SymbolicTensor
}

function activated (x: tf.SymbolicTensor): tf.SymbolicTensor {
  return tfjs.layers.activation({ activation: 'relu' }).apply(x) as tf.SymbolicTensor
}

/** A residual network on CIFAR-10: deeper than `cnn`, and still easy to train. */
export const resnet: Recipe = {
  name: 'resnet',
  summary: 'residual network, ResNet-18 with --width 64 (CIFAR-10)',
  data: CIFAR10_DATA,
  settings: { epochs: 18, batchSize: 128, learningRate: 0.1, seed: 1 },
  options: { width: { description: 'filters of the first stage: 16 for a CPU, 64 for a GPU', default: '16' } },
  modelName: () => 'resnet',

  async run (run) {
    const width = run.numberOption('width', { least: 1, isWhole: true })
    return await trainOnCifar10(run, {
      buildModel: () => createResNet({ side: CIFAR10_SIDE, classes: CIFAR10_LABELS.length, width }),
      optimizer: steps => sgd({ learningRate: oneCycle(run.settings.learningRate, { steps }), momentum: MOMENTUM, nesterov: true }),
      augment: [flipLeftRight(), shift(SHIFT)]
    })
  }
}
