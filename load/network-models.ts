import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type tf from '@tensorflow/tfjs'
import type { ImageContract, TextContract } from '../src/registry/manifest.ts'
import { exportVersion, type VersionManifest } from '../src/training/export.ts'
import type { InputTypes } from '../src/training/model-inputs.ts'
import { buildPredictor, closePredictor, savePredictor } from '../src/training/predictor.ts'
import { withSeed } from '../src/training/random.ts'
import { tf as tfjs } from '../src/training/tf.ts'
import type { ModelCopy } from './models.ts'
import { VOCABULARY } from './words.ts'

/** Words a text has for the BiLSTM. */
export const TEXT_LENGTH = 200
const EMBEDDING = 100
const LSTM_UNITS = 64
const SIDE = 224
const VOCABULARY_FILE = 'assets/vocabulary.txt'

/** A network with random weights that are always the same: how fast it runs does not depend on what it says. */
interface Network {
  readonly name: string
  readonly inputTypes: InputTypes
  readonly manifest: VersionManifest
  /** A token a line. */
  readonly vocabulary?: readonly string[]
  readonly buildModel: () => tf.LayersModel
}

/** Three blocks of convolutions, of 32, 64 and 128 filters, on photos of 32×32. */
export async function makeCifarCnn (scratch: string, name = 'cifar'): Promise<ModelCopy> {
  return await makeVersion(scratch, imageNetwork(name, 32, threeBlocks))
}

/** MobileNetV2 of 1000 classes on photos of 224×224. @see https://arxiv.org/abs/1801.04381, table 2 */
export async function makeMobileNet (scratch: string): Promise<ModelCopy> {
  return await makeVersion(scratch, imageNetwork('mobilenet', SIDE, mobileNetV2))
}

/** An LSTM of 64 in both directions over 200 words, each one of 10 000 as a point of 100 numbers. */
export async function makeBilstm (scratch: string): Promise<ModelCopy> {
  const text: TextContract = {
    tokenizer: { kind: 'text-vectorization', vocabulary: VOCABULARY_FILE, standardize: 'lower-and-strip-punctuation', split: 'whitespace' },
    length: TEXT_LENGTH,
    padding: 'start',
    truncation: 'start',
    inputs: { ids: 'tokens' }
  }
  return await makeVersion(scratch, {
    name: 'bilstm',
    inputTypes: {},
    manifest: { task: 'text-classification', signature: 'serving_default', activation: 'none', labels: ['unkind', 'kind'], text },
    vocabulary: VOCABULARY,
    buildModel: bilstm
  })
}

function imageNetwork (name: string, side: number, classify: (pixels: tf.SymbolicTensor) => tf.SymbolicTensor): Network {
  const image: ImageContract = { width: side, height: side, channels: 3, fit: 'fill', kernel: 'linear', scaling: { where: 'graph' } }
  return {
    name,
    inputTypes: { pixels: 'uint8' },
    manifest: { task: 'image-classification', signature: 'serving_default', input: 'pixels', activation: 'none', image },
    buildModel () {
      const pixels = tfjs.input({ shape: [side, side, 3], name: 'pixels' })
      const scaled = apply(pixels, tfjs.layers.rescaling({ scale: 1 / 127.5, offset: -1 }))
      return tfjs.model({ inputs: pixels, outputs: classify(scaled) })
    }
  }
}

async function makeVersion (scratch: string, { name, inputTypes, manifest, vocabulary, buildModel }: Network): Promise<ModelCopy> {
  const modelsDirectory = join(scratch, 'models')
  const model = withSeed(1, buildModel)
  const values = await Promise.all(model.weights.map(async weight => {
    const { dtype, shape } = weight
    return [weight, { dtype: dtype as 'float32', shape: shape as number[], data: await weight.read().data() as Float32Array }] as const
  }))
  const predictor = await buildPredictor(model, values, inputTypes)
  try {
    const { directory } = await exportVersion(modelsDirectory, name, async directory => {
      await savePredictor(directory, predictor)
      if (vocabulary !== undefined) await writeVocabulary(directory, vocabulary)
      return manifest
    })
    return { modelsDirectory, versionDirectory: directory, manifest: { format: 1, ...manifest } }
  } finally {
    await closePredictor(predictor)
  }
}

async function writeVocabulary (directory: string, tokens: readonly string[]): Promise<void> {
  await mkdir(join(directory, 'assets'), { recursive: true })
  await writeFile(join(directory, VOCABULARY_FILE), `${tokens.join('\n')}\n`)
}

function threeBlocks (pixels: tf.SymbolicTensor): tf.SymbolicTensor {
  const { layers } = tfjs
  return [
    ...[32, 64, 128].flatMap(filters => [layers.conv2d({ filters, kernelSize: 3, activation: 'relu', kernelInitializer: 'heNormal' }), layers.maxPooling2d({ poolSize: 2 })]),
    layers.flatten(),
    layers.dense({ units: 128, activation: 'relu' }),
    layers.dense({ units: 10, activation: 'softmax', name: 'probabilities' })
  ].reduce(apply, pixels)
}

function bilstm (): tf.LayersModel {
  const { layers } = tfjs
  return tfjs.sequential({
    layers: [
      layers.inputLayer({ inputShape: [TEXT_LENGTH], dtype: 'int32', name: 'tokens' }),
      layers.embedding({ inputDim: VOCABULARY.length + 2, outputDim: EMBEDDING, embeddingsInitializer: wideNormal() }),
      layers.bidirectional({ layer: layers.lstm({ units: LSTM_UNITS, recurrentActivation: 'sigmoid' }), mergeMode: 'concat' }),
      layers.dense({ units: 64, activation: 'relu' }),
      layers.dense({ units: 2, activation: 'softmax', name: 'probabilities' })
    ]
  })
}

/** An inverted bottleneck's numbers, in the paper's letters: expansion t, channels c, times n, first stride s. */
const MOBILE_NET_STAGES = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]] as const

function mobileNetV2 (pixels: tf.SymbolicTensor): tf.SymbolicTensor {
  const { layers } = tfjs
  let x = convolution(pixels, { size: 3, filters: 32, strides: 2 })
  for (const [expansion, filters, times, stride] of MOBILE_NET_STAGES) {
    for (let index = 0; index < times; index++) x = bottleneck(x, { expansion, filters, strides: index === 0 ? stride : 1 })
  }
  const features = apply(convolution(x, { size: 1, filters: 1280, strides: 1 }), layers.globalAveragePooling2d({}))
  return apply(features, layers.dense({ units: 1000, activation: 'softmax', name: 'probabilities' }))
}

function bottleneck (input: tf.SymbolicTensor, { expansion, filters, strides }: { expansion: number, filters: number, strides: 1 | 2 }): tf.SymbolicTensor {
  const { layers } = tfjs
  const channels = input.shape.at(-1)!
  const wide = expansion === 1 ? input : convolution(input, { size: 1, filters: channels * expansion, strides: 1 })
  const filtered = [layers.depthwiseConv2d({ kernelSize: 3, strides, padding: 'same', useBias: false, depthwiseInitializer: wideNormal() }), trainedNorm(), layers.reLU({ maxValue: 6 })].reduce(apply, wide)
  const narrow = [layers.conv2d({ kernelSize: 1, filters, useBias: false, kernelInitializer: 'heNormal' }), trainedNorm()].reduce(apply, filtered)
  return strides === 1 && channels === filters ? layers.add().apply([narrow, input]) as tf.SymbolicTensor : narrow
}

function convolution (input: tf.SymbolicTensor, { size, filters, strides }: { size: number, filters: number, strides: number }): tf.SymbolicTensor {
  const { layers } = tfjs
  return [layers.conv2d({ kernelSize: size, filters, strides, padding: 'same', useBias: false, kernelInitializer: 'heNormal' }), trainedNorm(), layers.reLU({ maxValue: 6 })].reduce(apply, input)
}

/** With numbers as training leaves them: TensorFlow leaves out what adds nought. */
function trainedNorm (): tf.layers.Layer {
  const between = (minval: number, maxval: number): ReturnType<typeof tf.initializers.randomUniform> => tfjs.initializers.randomUniform({ minval, maxval })
  return tfjs.layers.batchNormalization({
    betaInitializer: between(-0.5, 0.5), gammaInitializer: between(0.8, 1.2), movingMeanInitializer: between(-0.5, 0.5), movingVarianceInitializer: between(0.5, 1.5)
  })
}

/** As far from nought as keeps what a layer says large: a model that says the same of everything would hide wrong replies. */
function wideNormal (): ReturnType<typeof tf.initializers.randomNormal> {
  return tfjs.initializers.randomNormal({ stddev: 0.7 })
}

function apply (input: tf.SymbolicTensor, layer: tf.layers.Layer): tf.SymbolicTensor {
  return layer.apply(input) as tf.SymbolicTensor
}
