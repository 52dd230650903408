import type tf from '@tensorflow/tfjs'
import type { ImageBase } from '../image-base.ts'
import { tf as tfjs } from '../tf.ts'
import { readVariables } from '../variable-values.ts'
import { BLOCKS, FEATURES, isResidual, SIDE, STEM_CHANNELS, type Block } from './architecture.ts'

/**
 * EfficientNet-Lite0 in `tf.layers`, to be trained on: from `pixels`, [N, 224, 224, 3] with 0…255, to features, float32 [N, 1280]. Each batch
 * normalization is worked into the convolution before it, and so stays still.
 *
 * @param base the served model whose weights it gets: `models/imagenet`
 * @throws RangeError if that is of another architecture
 */
export async function efficientNetLiteLayers (base: ImageBase): Promise<tf.LayersModel> {
  const { layers } = tfjs
  const pixels = tfjs.input({ shape: [SIDE, SIDE, 3], name: 'pixels' })
  const scaled = apply(layers.rescaling({ scale: 1 / 128, offset: -127 / 128 }), pixels)
  const stem = apply(convolution('stem', { size: 3, filters: STEM_CHANNELS, strides: 2 }), scaled)
  const body = BLOCKS.reduce(addBlock, stem)
  const head = apply(convolution('head', { size: 1, filters: FEATURES }), body)
  const model = tfjs.model({ inputs: pixels, outputs: apply(layers.globalAveragePooling2d({ name: 'features' }), head) })
  await takeWeights(model, base)
  return model
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
