import { join } from 'node:path'
import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary, type TensorValue } from '../../src/tensorflow/index.ts'
import type { TrainingCallback, TrainingControl } from '../../src/training/callbacks/callback.ts'
import { checkpoint } from '../../src/training/callbacks/checkpoint.ts'
import { tensorDataset } from '../../src/training/datasets/dataset.ts'
import type { LossScaleOptions } from '../../src/training/loss-scaling.ts'
import { adam, sgd } from '../../src/training/optimizers.ts'
import { seededRandom, withSeed } from '../../src/training/random.ts'
import { tf as tfjs } from '../../src/training/tf.ts'
import { Trainer } from '../../src/training/trainer.ts'
import type { TrainingOptions } from '../../src/training/training-graph.ts'

loadLibrary()

const { layers } = tfjs
const ROWS = 240

/** Small pictures whose class is where they are bright. */
function pictures (): ReturnType<typeof tensorDataset> {
  const random = seededRandom(5)
  const labels = Int32Array.from({ length: ROWS }, (_, row) => row % 3)
  const data = Float32Array.from({ length: ROWS * 36 }, (_, index) => random() * 0.3 + (Math.floor(index % 6 / 2) === labels[Math.floor(index / 36)] ? 0.5 : 0))
  return tensorDataset({ dtype: 'float32', shape: [ROWS, 6, 6, 1], data }, { dtype: 'int32', shape: [ROWS], data: labels })
}

const options = (): TrainingOptions => ({
  model: withSeed(4, () => tfjs.sequential({
    layers: [layers.inputLayer({ inputShape: [6, 6, 1], name: 'x' }), layers.conv2d({ filters: 4, kernelSize: 3 }), layers.batchNormalization({ momentum: 0.5 }), layers.activation({ activation: 'relu' }), layers.flatten(), layers.dense({ units: 3, activation: 'softmax' })]
  })),
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],
  optimizer: adam({ learningRate: 0.01 }),
  seed: 1
})

for (const precision of ['bfloat16', 'float16'] as const) {
  t.test(`a model learns with products in ${precision} nearly what it learns in float32`, async t => {
    const data = pictures()
    const learn = async (given: Partial<TrainingOptions>): Promise<{ losses: number[], accuracy: number, dtypes: Set<string> }> => {
      const trainer = await Trainer.create({ ...options(), ...given })
      const { history } = await trainer.fit({ data, epochs: 4, batchSize: 24 })
      const { acc = 0 } = await trainer.evaluate(data)
      const dtypes = new Set((await trainer.values()).map(([, { dtype }]) => dtype))
      await trainer.close()
      return { losses: history['loss']!, accuracy: acc, dtypes }
    }
    const [whole, half] = [await learn({}), await learn({ precision })]
    t.not(half.losses[3], whole.losses[3], 'it is calculated otherwise')
    half.losses.forEach((loss, epoch) => { t.ok(Math.abs(loss - whole.losses[epoch]!) < 0.05, `epoch ${epoch}: ${loss} beside ${whole.losses[epoch]!}`) })
    t.ok(half.accuracy > 0.95)
    t.strictSame([...half.dtypes], ['float32'])
  })
}

t.test('what a model learned in half precision resumes to the bit', async t => {
  const data = pictures()
  const path = join(t.testdir(), 'state.safetensors')
  const run = async (epochs: readonly number[]): Promise<Float32Array[]> => {
    let values: Float32Array[] = []
    for (const [index, last] of epochs.entries()) {
      const trainer = await Trainer.create({ ...options(), precision: 'float16', lossScale: { growthSteps: 7 } })
      await trainer.fit({ data, epochs: last, batchSize: 24, ...(index > 0 && { resume: path }), callbacks: [checkpoint({ path })] })
      values = (await trainer.values()).map(([, { data }]) => data as Float32Array)
      await trainer.close()
    }
    return values
  }
  t.strictSame(await run([2, 4]), await run([4]))
})

/** Learns a single weight, of 1 at first, whose gradient is `factor`. @returns the weight after each step */
async function learnWeight (factor: number, learningRate: number, steps: number, lossScale: LossScaleOptions): Promise<number[]> {
  const model = tfjs.sequential({ layers: [layers.dense({ units: 1, useBias: false, kernelInitializer: 'ones', inputShape: [1], name: 'y' }), layers.rescaling({ scale: factor })] })
  const learner = await Trainer.create({ model, loss: 'meanAbsoluteError', optimizer: sgd({ learningRate, momentum: 0.9 }), seed: 1, precision: 'float16', lossScale })
  const one = (value: number): TensorValue => ({ dtype: 'float32', shape: [1, 1], data: Float32Array.of(value) })
  const weights: number[] = []
  const note: TrainingCallback = {
    onTrainBegin: given => { control = given },
    onStep: async () => { weights.push(((await control.values())[0]![1].data as Float32Array)[0]!) }
  }
  let control: TrainingControl
  await learner.fit({ data: tensorDataset(one(1), one(-1)), epochs: steps, callbacks: [note] })
  await learner.close()
  return weights
}

t.test('steps whose gradients overflow change nothing, and the scale falls until they do not', async t => {
  const weights = await learnWeight(1, 0.001, 5, { initial: 2 ** 18 })
  t.strictSame(weights.slice(0, 3), [1, 1, 1], '2¹⁸, 2¹⁷ and 2¹⁶ are over float16\'s 65504')
  t.ok(Math.abs(weights[3]! - 0.999) < 1e-5, 'the gradient is not scaled, and the momentum is of this step alone')
  t.ok(Math.abs(weights[4]! - (0.999 - 0.0019)) < 1e-5)
})

t.test('the scale keeps gradients that float16 would lose, and grows', async t => {
  const tiny = 2 ** -25 // half of the least number that float16 has
  t.not((await learnWeight(tiny, 2 ** 24, 6, { initial: 2 ** 15 }))[5], 1)
  t.equal((await learnWeight(tiny, 2 ** 24, 6, { initial: 1, growthSteps: 1000 }))[5], 1, 'nothing is left of it')
  t.not((await learnWeight(tiny, 2 ** 24, 6, { initial: 1, growthSteps: 1 }))[5], 1)
})

/** Stacks that begin with a product, so that what follows gets half precision. */
const STACKS: Record<string, { shape: number[], stack: () => tf.layers.Layer[] }> = {
  pictures: { shape: [9, 8, 3], stack: () => [layers.conv2d({ filters: 4, kernelSize: 3 }), layers.batchNormalization(), layers.reLU({ maxValue: 6 }), layers.depthwiseConv2d({ kernelSize: 2 }), layers.leakyReLU(), layers.zeroPadding2d({}), layers.separableConv2d({ filters: 3, kernelSize: 2, activation: 'gelu' }), layers.maxPooling2d({}), layers.cropping2D({ cropping: 1 }), layers.dropout({ rate: 0.2 }), layers.flatten(), layers.dense({ units: 3, activation: 'swish' }), layers.layerNormalization()] },
  otherPictures: { shape: [6, 6, 2], stack: () => [layers.conv2d({ filters: 3, kernelSize: 2, dilationRate: 2 }), layers.upSampling2d({}), layers.averagePooling2d({}), layers.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 2 }), layers.prelu(), layers.batchNormalization({ axis: 1 }), layers.permute({ dims: [3, 1, 2] }), layers.globalAveragePooling2d({ dataFormat: 'channelsFirst' }), layers.gaussianNoise({ stddev: 0.01 }), layers.elu(), layers.softmax()] },
  sequences: { shape: [6, 3], stack: () => [layers.conv1d({ filters: 4, kernelSize: 2, padding: 'causal' }), layers.spatialDropout1d({ rate: 0.1 }), layers.timeDistributed({ layer: layers.dense({ units: 4 }) }), layers.bidirectional({ layer: layers.lstm({ units: 3, returnSequences: true }), mergeMode: 'concat' }), layers.lstm({ units: 3, recurrentActivation: 'sigmoid', returnSequences: true }), layers.gru({ units: 3, returnSequences: true }), layers.dense({ units: 4 }), layers.simpleRNN({ units: 3 }), layers.repeatVector({ n: 2 }), layers.globalMaxPooling1d()] },
  films: { shape: [3, 6, 6, 2], stack: () => [layers.convLstm2d({ filters: 2, kernelSize: 3 }), layers.reshape({ targetShape: [4, 4, 2, 1] }), layers.conv3d({ filters: 2, kernelSize: 2 }), layers.maxPooling3d({ poolSize: [2, 2, 1], strides: 1 }), layers.flatten(), layers.dense({ units: 2, activation: 'sigmoid' })] }
}

for (const [name, { shape, stack }] of Object.entries(STACKS)) {
  t.test(`${name}: what follows a product goes on from it, or in float32`, async t => {
    const losses: number[] = []
    for (const precision of ['float32', 'bfloat16', 'float16'] as const) {
      const model = withSeed(2, () => {
        const input = tfjs.input({ shape, name: 'x' })
        const all = stack().reduce((x, layer) => layer.apply(x) as tf.SymbolicTensor, input)
        return tfjs.model({ inputs: input, outputs: layers.add().apply([all, all]) as tf.SymbolicTensor })
      })
      const random = seededRandom(4)
      const data = tensorDataset(
        { dtype: 'float32', shape: [8, ...shape], data: Float32Array.from({ length: 8 * shape.reduce((a, b) => a * b) }, random) },
        { dtype: 'float32', shape: [8, model.outputs[0]!.shape[1]!], data: new Float32Array(8 * model.outputs[0]!.shape[1]!).fill(0.5) }
      )
      const trainer = await Trainer.create({ model, loss: 'meanSquaredError', optimizer: sgd({ learningRate: 0.01 }), seed: 3, precision, lossScale: { initial: 64 } })
      const { history } = await trainer.fit({ data, epochs: 3, batchSize: 8 })
      await trainer.close()
      losses.push(history['loss']![2]!)
    }
    const [whole, ...halves] = losses as [number, ...number[]]
    for (const half of halves) t.ok(Math.abs(half - whole) < 0.05 * Math.max(whole, 0.1), `${half} beside ${whole}`)
  })
}
