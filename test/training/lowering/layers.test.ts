import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary } from '../../../src/tensorflow/index.ts'
import { tf as tfjs } from '../../../src/training/tf.ts'
import { compareLowering, type Comparison } from '../../support/compare-lowering.ts'

loadLibrary()

const { layers } = tfjs

type Case = [what: string, layer: tf.layers.Layer, inputShape: (number | null)[], comparison?: Comparison]

const activations = ['linear', 'relu', 'relu6', 'elu', 'selu', 'sigmoid', 'hardSigmoid', 'softplus', 'softsign', 'tanh', 'softmax', 'logSoftmax', 'gelu', 'gelu_new', 'mish', 'swish'] as const

const cases: Case[] = [
  ['dense', layers.dense({ units: 4 }), [6]],
  ['dense without bias', layers.dense({ units: 4, useBias: false }), [6]],
  ['dense over steps', layers.dense({ units: 4, activation: 'tanh' }), [5, 6]],
  ['dense over any number of steps', layers.dense({ units: 4, activation: 'softmax' }), [null, 6]],
  ['dense over a grid', layers.dense({ units: 2 }), [3, 4, 5]],
  ...activations.map(activation => [`activation ${activation}`, layers.activation({ activation: activation as 'relu' }), [7]] as Case),
  ['softmax over the channels of a grid', layers.activation({ activation: 'softmax' }), [3, 4]],
  ['reLU', layers.reLU(), [7]],
  ['reLU with a maximum', layers.reLU({ maxValue: 0.4 }), [7]],
  ['leakyReLU', layers.leakyReLU({ alpha: 0.2 }), [7]],
  ['pReLU', layers.prelu(), [4, 3]],
  ['pReLU with shared axes', layers.prelu({ sharedAxes: [1] }), [4, 3]],
  ['eLU', layers.elu(), [7]],
  ['thresholdedReLU', layers.thresholdedReLU({ theta: 0.2 }), [7], { gradients: 'numeric' }],
  ['softmax', layers.softmax(), [7]],
  ['softmax of steps', layers.softmax({ axis: 2 }), [4, 3]],

  ['conv2d', layers.conv2d({ filters: 3, kernelSize: 3 }), [6, 5, 2]],
  ['conv2d same, strided, with activation', layers.conv2d({ filters: 3, kernelSize: [3, 2], strides: 2, padding: 'same', activation: 'relu' }), [6, 5, 2]],
  ['conv2d dilated, without bias', layers.conv2d({ filters: 3, kernelSize: 2, dilationRate: 2, useBias: false }), [6, 5, 2], { gradients: 'numeric' }],
  ['conv2d channels first', layers.conv2d({ filters: 3, kernelSize: 3, dataFormat: 'channelsFirst' }), [2, 6, 5]],
  ['conv1d', layers.conv1d({ filters: 3, kernelSize: 3, activation: 'relu' }), [7, 2]],
  ['conv1d same, strided', layers.conv1d({ filters: 3, kernelSize: 3, strides: 2, padding: 'same' }), [7, 2]],
  ['conv1d dilated', layers.conv1d({ filters: 3, kernelSize: 2, dilationRate: 2 }), [7, 2], { gradients: 'numeric' }],
  ['conv2dTranspose', layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2 }), [4, 3, 2]],
  ['conv2dTranspose same', layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'tanh' }), [4, 3, 2]],
  ['conv2dTranspose channels first', layers.conv2dTranspose({ filters: 3, kernelSize: 3, dataFormat: 'channelsFirst', useBias: false }), [2, 4, 3]],
  ['depthwiseConv2d channels first', layers.depthwiseConv2d({ kernelSize: 3, dataFormat: 'channelsFirst', useBias: false }), [2, 6, 5]],
  ['conv2d over images of any size', layers.conv2d({ filters: 3, kernelSize: 3, activation: 'relu' }), [null, null, 2]],
  ['depthwiseConv2d', layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }), [6, 5, 2]],
  ['depthwiseConv2d same, strided', layers.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: 'same', activation: 'relu6' }), [6, 5, 2]],
  ['separableConv2d', layers.separableConv2d({ filters: 3, kernelSize: 3 }), [6, 5, 2]],
  ['conv2d dilated, same', layers.conv2d({ filters: 3, kernelSize: 3, dilationRate: [2, 3], padding: 'same' }), [6, 7, 2], { gradients: 'numeric' }],
  ['separableConv2d dilated', layers.separableConv2d({ filters: 3, kernelSize: 2, dilationRate: 2 }), [6, 5, 2], { gradients: 'numeric' }],
  ['separableConv2d same', layers.separableConv2d({ filters: 3, kernelSize: 3, padding: 'same', depthMultiplier: 2, activation: 'relu' }), [6, 5, 2]],

  ['conv3d', layers.conv3d({ filters: 3, kernelSize: 2 }), [4, 3, 4, 2]],
  ['conv3d same, strided, with activation', layers.conv3d({ filters: 2, kernelSize: [2, 3, 2], strides: 2, padding: 'same', activation: 'tanh' }), [4, 3, 5, 2]],
  ['conv3d channels first, without bias', layers.conv3d({ filters: 3, kernelSize: 2, dataFormat: 'channelsFirst', useBias: false }), [2, 4, 3, 4], { gradients: 'numeric' }],
  ['conv3dTranspose', layers.conv3dTranspose({ filters: 2, kernelSize: 3, strides: 2 }), [2, 3, 2, 2], { gradients: 'numeric' }],
  ['conv3dTranspose same', layers.conv3dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: 'same', activation: 'tanh' }), [2, 3, 2, 2], { gradients: 'numeric' }],
  ['maxPooling3d', layers.maxPooling3d({ poolSize: 2 }), [4, 5, 4, 2]],
  ['maxPooling3d same, strided', layers.maxPooling3d({ poolSize: [3, 2, 2], strides: [2, 1, 2], padding: 'same' }), [4, 5, 4, 2]],
  ['averagePooling3d', layers.averagePooling3d({ poolSize: 2 }), [4, 5, 4, 2]],
  ['averagePooling3d same, strided', layers.averagePooling3d({ poolSize: 3, strides: 2, padding: 'same' }), [4, 5, 4, 2], { gradients: 'numeric' }],
  ['resizing', layers.resizing({ height: 3, width: 7 }), [6, 5, 2], { gradients: 'none' }],
  ['resizing to the nearest', layers.resizing({ height: 9, width: 2, interpolation: 'nearest' }), [6, 5, 2], { gradients: 'none' }],
  ['centerCrop', layers.centerCrop({ height: 4, width: 3 }), [8, 7, 2], { gradients: 'numeric' }],
  ['centerCrop of what is too small', layers.centerCrop({ height: 8, width: 9 }), [5, 5, 2], { gradients: 'none' }],
  ['maxPooling2d', layers.maxPooling2d({ poolSize: 2 }), [6, 5, 2]],
  ['maxPooling2d same, strided', layers.maxPooling2d({ poolSize: [3, 2], strides: [2, 1], padding: 'same' }), [6, 5, 2]],
  ['maxPooling2d channels first', layers.maxPooling2d({ poolSize: 2, dataFormat: 'channelsFirst' }), [2, 6, 5]],
  ['averagePooling2d', layers.averagePooling2d({ poolSize: 2 }), [6, 5, 2]],
  ['averagePooling2d same, strided', layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' }), [6, 5, 2], { gradients: 'numeric' }],
  ['maxPooling1d', layers.maxPooling1d({ poolSize: 2 }), [7, 2]],
  ['averagePooling1d', layers.averagePooling1d({ poolSize: 3, strides: 2, padding: 'same' }), [7, 2], { gradients: 'numeric' }],
  ['globalMaxPooling2d channels first', layers.globalMaxPooling2d({ dataFormat: 'channelsFirst' }), [2, 4, 5]],
  ['globalAveragePooling1d over any number of steps', layers.globalAveragePooling1d(), [null, 3]],
  ['globalMaxPooling1d', layers.globalMaxPooling1d(), [7, 2]],
  ['globalMaxPooling2d', layers.globalMaxPooling2d({}), [4, 5, 2]],
  ['globalAveragePooling1d', layers.globalAveragePooling1d(), [7, 2]],
  ['globalAveragePooling2d', layers.globalAveragePooling2d({}), [4, 5, 2]],
  ['globalAveragePooling2d channels first', layers.globalAveragePooling2d({ dataFormat: 'channelsFirst' }), [2, 4, 5]],

  ['batchNormalization of images', layers.batchNormalization(), [4, 5, 3]],
  ['batchNormalization of rows', layers.batchNormalization({ momentum: 0.7, epsilon: 0.01 }), [6]],
  ['batchNormalization of steps', layers.batchNormalization(), [4, 3]],
  ['batchNormalization without scale and centre', layers.batchNormalization({ scale: false, center: false }), [4, 5, 3], { gradients: 'numeric' }],
  ['batchNormalization of any number of steps', layers.batchNormalization(), [null, 3]],
  ['layerNormalization', layers.layerNormalization(), [4, 6]],
  ['layerNormalization over two axes', layers.layerNormalization({ axis: [1, 2] }), [4, 6]],
  ['layerNormalization without scale and centre', layers.layerNormalization({ scale: false, center: false }), [6], { gradients: 'numeric' }],

  ['flatten', layers.flatten(), [3, 4, 2]],
  ['flatten channels first', layers.flatten({ dataFormat: 'channelsFirst' }), [3, 4, 2]],
  ['reshape', layers.reshape({ targetShape: [4, 3] }), [2, 6]],
  ['reshape with a free side', layers.reshape({ targetShape: [-1, 3] }), [2, 6]],
  ['permute', layers.permute({ dims: [2, 3, 1] }), [2, 3, 4]],
  ['repeatVector', layers.repeatVector({ n: 3 }), [4]],
  ['zeroPadding2d', layers.zeroPadding2d({ padding: [[1, 2], [0, 3]] }), [3, 4, 2]],
  ['zeroPadding2d channels first', layers.zeroPadding2d({ padding: 1, dataFormat: 'channelsFirst' }), [2, 3, 4]],
  ['cropping2d', layers.cropping2D({ cropping: [[1, 0], [2, 1]] }), [5, 6, 2]],
  ['upSampling2d', layers.upSampling2d({ size: [2, 3] }), [3, 4, 2], { gradients: 'numeric' }],
  ['cropping2d channels first', layers.cropping2D({ cropping: 1, dataFormat: 'channelsFirst' }), [2, 5, 6]],
  ['upSampling2d channels first', layers.upSampling2d({ size: [2, 2], dataFormat: 'channelsFirst' }), [2, 3, 4], { gradients: 'numeric' }],
  ['upSampling2d bilinear', layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }), [3, 4, 2], { gradients: 'numeric' }],
  ['masking', layers.masking({ maskValue: 0 }), [4, 3], { gradients: 'numeric' }],

  ['rescaling', layers.rescaling({ scale: 1 / 127.5, offset: -1 }), [4, 4, 3]],
  ['dropout of rate 0', layers.dropout({ rate: 0 }), [6]],
  ['dropout while predicting', layers.dropout({ rate: 0.5 }), [6], { gradients: 'none' }],
  ['spatialDropout1d while predicting', layers.spatialDropout1d({ rate: 0.5 }), [6, 2], { gradients: 'none' }],
  ['gaussianNoise while predicting', layers.gaussianNoise({ stddev: 1 }), [6], { gradients: 'none' }],
  ['gaussianDropout while predicting', layers.gaussianDropout({ rate: 0.5 }), [6], { gradients: 'none' }],
  ['alphaDropout while predicting', layers.alphaDropout({ rate: 0.5 }), [6], { gradients: 'none' }]
]

for (const [what, layer, inputShape, comparison] of cases) {
  t.test(`${what} is what tf.layers makes of it`, async t => {
    const input = layers.input({ shape: inputShape })
    await compareLowering(t, tfjs.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor }), comparison)
  })
}

const pairs: [what: string, layer: tf.layers.Layer, shapes: number[][]][] = [
  ['add', layers.add(), [[4, 3], [4, 3], [4, 3]]],
  ['add of fewer axes', layers.add(), [[4, 3], [3]]],
  ['multiply', layers.multiply(), [[4, 3], [4, 3]]],
  ['average', layers.average(), [[5], [5], [5]]],
  ['maximum', layers.maximum(), [[5], [5]]],
  ['minimum', layers.minimum(), [[5], [5]]],
  ['concatenate', layers.concatenate(), [[4, 3], [4, 2]]],
  ['concatenate along the steps', layers.concatenate({ axis: 1 }), [[4, 3], [2, 3]]],
  ['dot of rows', layers.dot({ axes: 1 }), [[5], [5]]],
  ['dot of rows, normalized', layers.dot({ axes: -1, normalize: true }), [[5], [5]]],
  ['dot of steps', layers.dot({ axes: [2, 2] }), [[4, 3], [5, 3]]],
  ['dot of steps along the first axes', layers.dot({ axes: [1, 1] }), [[4, 3], [4, 5]]]
]

for (const [what, layer, shapes] of pairs) {
  t.test(`${what} is what tf.layers makes of it`, async t => {
    const inputs = shapes.map(shape => layers.input({ shape }))
    await compareLowering(t, tfjs.model({ inputs, outputs: layer.apply(inputs) as tf.SymbolicTensor }))
  })
}

t.test('embedding of numbers given as floats is what tf.layers makes of it', async t => {
  const model = tfjs.sequential({ layers: [layers.embedding({ inputDim: 5, outputDim: 3, inputLength: 4 })] })
  await compareLowering(t, model, { gradients: 'none' }, [tfjs.tensor2d([[0, 1, 4, 4], [2, 2, 3, 0]])])
})

const refused: [what: string, layer: tf.layers.Layer, inputShape: (number | null)[], message: RegExp][] = [
  ['a dilation that tf.layers does not heed', layers.depthwiseConv2d({ kernelSize: 2, dilationRate: 2 }), [5, 5, 2], /its dilationRate is \[2,2\]; .*separableConv2d/],
  ['unequal strides', layers.depthwiseConv2d({ kernelSize: 2, strides: [1, 2] }), [5, 5, 2], /its strides is \[1,2\]/],
  ['a dilation over images of any size', layers.conv2d({ filters: 1, kernelSize: 2, dilationRate: 2 }), [null, null, 2], /its dilationRate is \[2,2\]; give the model a fixed input size/],
  ['a softmax along another axis than the last', layers.softmax({ axis: 1 }), [4, 3], /its axis is 1; softmax is along the last axis here, 2/],
  ['an enlarging of images of any size', layers.upSampling2d({}), [null, null, 2], /its size is \[2,2\]; give the model a fixed input size/]
]

for (const [what, layer, inputShape, message] of refused) {
  t.test(`${what} is refused by name`, async t => {
    const input = layers.input({ shape: inputShape })
    const model = tfjs.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor })
    await t.rejects(compareLowering(t, model), { code: 'TRAIN_CANNOT_LOWER', message })
  })
}

t.test('a causal convolution is one over as many zeros before the first step as it looks back', async t => {
  for (const options of [{ kernelSize: 3 }, { kernelSize: 2, dilationRate: 2 }, { kernelSize: 3, strides: 2 }]) {
    const input = layers.input({ shape: [5, 2] })
    const model = tfjs.model({ inputs: input, outputs: layers.conv1d({ filters: 3, padding: 'causal', ...options }).apply(input) as tf.SymbolicTensor })
    const before = (options.kernelSize - 1) * (options.dilationRate ?? 1)
    const reference = tfjs.sequential({
      layers: [layers.reshape({ targetShape: [5, 1, 2], inputShape: [5, 2] }), layers.zeroPadding2d({ padding: [[before, 0], [0, 0]] }), layers.reshape({ targetShape: [5 + before, 2] }), layers.conv1d({ filters: 3, ...options })]
    })
    await compareLowering(t, model, { reference, gradients: options.dilationRate === undefined ? 'tfjs' : 'numeric' })
  }
})

t.test('embedding is what tf.layers makes of it', async t => {
  const input = layers.input({ shape: [4], dtype: 'int32' })
  const output = layers.embedding({ inputDim: 5, outputDim: 3 }).apply(input) as tf.SymbolicTensor
  await compareLowering(t, tfjs.model({ inputs: input, outputs: output }))
})

t.test('batchNormalization along the first axis is what the last axis gives after a permutation', async t => {
  const input = layers.input({ shape: [3, 4, 5] })
  const model = tfjs.model({ inputs: input, outputs: layers.batchNormalization({ axis: 1 }).apply(input) as tf.SymbolicTensor })
  const reference = tfjs.sequential({ layers: [layers.permute({ dims: [2, 3, 1], inputShape: [3, 4, 5] }), layers.batchNormalization(), layers.permute({ dims: [3, 1, 2] })] })
  reference.build([null, 3, 4, 5])
  await compareLowering(t, model, { reference })
})
