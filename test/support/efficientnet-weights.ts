import { floats, type TensorValue } from '../../src/tensorflow/index.ts'
import { seededRandom } from '../../src/training/random.ts'
import { BLOCKS, CLASSES, HEAD_CHANNELS, STEM_CHANNELS } from '../../src/training/imagenet/architecture.ts'

/** Tensors of the right names and shapes, with values about as large as trained ones, so that a test needs no download. */
export function randomWeights (seed: number): Map<string, TensorValue> {
  const random = seededRandom(seed)
  const tensors = new Map<string, TensorValue>()
  const add = (name: string, shape: number[], low: number, high: number): void => {
    const count = shape.reduce((product, side) => product * side, 1)
    tensors.set(name, floats(shape, Float32Array.from({ length: count }, () => low + (high - low) * random())))
  }
  const addConvolution = (name: string, norm: string, shape: [number, number, number, number]): void => {
    const [channels, inputs, height, width] = shape
    const range = Math.sqrt(6 / (inputs * height * width))
    add(`${name}.weight`, shape, -range, range)
    add(`${norm}.weight`, [channels], 0.5, 1.5)
    add(`${norm}.bias`, [channels], -0.5, 1)
    add(`${norm}.running_mean`, [channels], -1, 1)
    add(`${norm}.running_var`, [channels], 0.5, 2)
    tensors.set(`${norm}.num_batches_tracked`, { dtype: 'int64', shape: [], data: BigInt64Array.of(0n) })
  }
  addConvolution('_conv_stem', '_bn0', [STEM_CHANNELS, 3, 3, 3])
  for (const [index, { kernel, expansion, inputs, outputs }] of BLOCKS.entries()) {
    const name = `_blocks.${index}`
    const wide = inputs * expansion
    if (expansion > 1) addConvolution(`${name}._expand_conv`, `${name}._bn0`, [wide, inputs, 1, 1])
    addConvolution(`${name}._depthwise_conv`, `${name}._bn1`, [wide, 1, kernel, kernel])
    addConvolution(`${name}._project_conv`, `${name}._bn2`, [outputs, wide, 1, 1])
  }
  addConvolution('_conv_head', '_bn1', [HEAD_CHANNELS, 320, 1, 1])
  add('_fc.weight', [CLASSES, HEAD_CHANNELS], -0.05, 0.05)
  add('_fc.bias', [CLASSES], -0.1, 0.1)
  return tensors
}
