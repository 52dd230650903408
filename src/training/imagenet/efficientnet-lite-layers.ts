import type tf from '@tensorflow/tfjs'
import type { ImageBase } from '../image-base.ts'
import { tf as tfjs } from '../tf.ts'
import { readVariables } from '../variable-values.ts'
import { BadOptionError } from '../../errors.ts'
import { FEATURE_SOURCES, FEATURES, HEAD_CHANNELS, isResidual, SIDE, STEM_CHANNELS, throughParts, type Block, type FeatureSource } from './architecture.ts'

/**
 * EfficientNet-Lite0 in `tf.layers`, to be trained on: from `pixels`, [N, 224, 224, 3] with 0…255, to features, float32 [N, 1792]. Each batch
 * normalization is worked into the convolution before it, and so stays still.
 *
 * @param base the served model whose weights it gets: `models/imagenet`
 * @throws BadOptionError if that gives other features: an earlier tensorport made it
 * @throws RangeError if it is of another architecture
 */
export async function efficientNetLiteLayers (base: ImageBase): Promise<tf.LayersModel> {
  if (base.featureCount !== FEATURES) throw new BadOptionError(`The base ${base.directory} gives ${base.featureCount} features, not ${FEATURES}: remove it, and \`npm run setup\` makes it anew`)
  const { layers } = tfjs
  const pixels = tfjs.input({ shape: [SIDE, SIDE, 3], name: 'pixels' })
  const scaled = apply(layers.rescaling({ scale: 1 / 128, offset: -127 / 128 }), pixels)
  const stem = apply(convolution('stem', { size: 3, filters: STEM_CHANNELS, strides: 2 }), scaled)
  const seenBy = throughParts(stem, addBlock, x => apply(convolution('head', { size: 1, filters: HEAD_CHANNELS }), x))
  const features = FEATURE_SOURCES.map(source => scaledAverage(seenBy(source.part), source))
  const model = tfjs.model({ inputs: pixels, outputs: layers.concatenate({ name: 'features' }).apply(features) as tf.SymbolicTensor })
  await takeWeights(model, base)
  return model
}

function scaledAverage (seen: tf.SymbolicTensor, { part, scale }: FeatureSource): tf.SymbolicTensor {
  const average = apply(tfjs.layers.globalAveragePooling2d({ name: `${part}/average` }), seen)
  return apply(tfjs.layers.rescaling({ scale, name: `${part}/scaled` }), average)
}

function addBlock (input: tf.SymbolicTensor, block: Block, index: number): tf.SymbolicTensor {
  const { kernel, stride, expansion, inputs, outputs } = block
  const wide = expansion === 1 ? input : apply(convolution(`block${index}/expand`, { size: 1, filters: inputs * expansion }), input)
  const filtered = apply(tfjs.layers.depthwiseConv2d({ kernelSize: kernel, strides: stride, padding: 'same', activation: 'relu6', name: `block${index}/depthwise` }), wide)
  const narrow = apply(convolution(`block${index}/project`, { size: 1, filters: outputs, activation: 'linear' }), filtered)
  return isResidual(block) ? tfjs.layers.add({ name: `block${index}/add` }).apply([narrow, input]) as tf.SymbolicTensor : narrow
}

function convolution (name: string, { size, filters, strides = 1, activation = 'relu6' }: { size: number, filters: number, strides?: number, activation?: 'relu6' | 'linear' }): tf.layers.Layer {
  return tfjs.layers.conv2d({ kernelSize: size, filters, strides, padding: 'same', activation, name })
}

function apply (layer: tf.layers.Layer, input: tf.SymbolicTensor): tf.SymbolicTensor {
  return layer.apply(input) as tf.SymbolicTensor
}

/** Layers have the names that the base's variables begin with. */
async function takeWeights (model: tf.LayersModel, { model: { graph, session }, directory }: ImageBase): Promise<void> {
  for (const layer of model.layers.filter(({ weights }) => weights.length > 0)) {
    const variables = [`${layer.name}/kernel`, `${layer.name}/bias`].map(name => graph.existingVariable(name))
    const values = await readVariables(session, variables)
    tfjs.tidy(() => {
      layer.setWeights(values.map(([{ name, shape }, { data }], index) => {
        const expected = layer.weights[index]!.shape
        if (shape.join() !== expected.join()) throw new RangeError(`Expected shape [${expected.join(', ')}] for ${name} of ${directory} but received [${shape.join(', ')}]`)
        return tfjs.tensor(data as Float32Array, [...shape])
      }))
    })
  }
}
