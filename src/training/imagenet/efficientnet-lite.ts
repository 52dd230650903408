import type { Graph, Output, TensorValue, Variable } from '../../tensorflow/index.ts'
import { CLASSES, FEATURE_SOURCES, HEAD_CHANNELS, isResidual, SIDE, STEM_CHANNELS, throughParts, type Block } from './architecture.ts'
import { PytorchWeights, type LayerWeights } from './pytorch-weights.ts'

/** An EfficientNet-Lite0 in a graph. Its variables are without values until `values` are assigned. */
export interface EfficientNetLite {
  /** Uint8 [N, 224, 224, 3], RGB. */
  readonly pixels: Output
  /** Float32 [N, 1792]: what the network sees, before it names it. */
  readonly features: Output
  /** Float32 [N, 1000]. */
  readonly logits: Output
  /** Float32 [N, 1000], each row sums to 1. */
  readonly probabilities: Output
  readonly values: ReadonlyMap<Variable, TensorValue>
}

/**
 * Builds EfficientNet-Lite0 for inference: uint8 pixels are scaled inside, and each batch normalization is worked into the convolution
 * before it, which leaves half the operations and the same numbers up to rounding.
 *
 * @param tensors by the names of the PyTorch package `efficientnet-lite-pytorch`
 * @throws BadWeightsError if they are not exactly this model's
 */
export function buildEfficientNetLite (graph: Graph, tensors: ReadonlyMap<string, TensorValue>): EfficientNetLite {
  const weights = new PytorchWeights(tensors)
  const layers = new Layers(graph)
  const pixels = graph.placeholder('uint8', [-1, SIDE, SIDE, 3], 'pixels')
  const stem = layers.convolution(scaled(graph, pixels), 'stem', weights.convolution('_conv_stem', '_bn0', { size: 3, inputs: 3, outputs: STEM_CHANNELS }), { stride: 2 })
  const seenBy = throughParts(stem, (x, block, index) => addBlock(layers, weights, x, block, index),
    x => layers.convolution(x, 'head', weights.convolution('_conv_head', '_bn1', { size: 1, inputs: x.shape!.at(-1)!, outputs: HEAD_CHANNELS })))
  const averages = FEATURE_SOURCES.map(({ part }) => graph.apply('Mean', [seenBy(part), graph.ints([1, 2])], {}, { name: `${part}/average` }))
  const scaledAlike = averages.map((average, index) => graph.apply('Mul', [average, graph.scalar('float32', FEATURE_SOURCES[index]!.scale)]))
  const features = graph.apply('ConcatV2', [scaledAlike, graph.scalar('int32', 1)], {}, { name: 'features' })
  const logits = layers.dense(averages[0]!, 'logits', weights.dense('_fc', { inputs: HEAD_CHANNELS, outputs: CLASSES }))
  const probabilities = graph.apply('Softmax', [logits], {}, { name: 'probabilities' })
  weights.assertAllUsed()
  return { pixels, features, logits, probabilities, values: layers.values }
}

/** (x − 127) ÷ 128, as the model was trained. */
function scaled (graph: Graph, pixels: Output): Output {
  const centred = graph.apply('Sub', [graph.apply('Cast', [pixels], { DstT: 'float32' }), graph.scalar('float32', 127)])
  return graph.apply('Mul', [centred, graph.scalar('float32', 1 / 128)], {}, { name: 'scaled' })
}

function addBlock (layers: Layers, weights: PytorchWeights, input: Output, block: Block, index: number): Output {
  const { kernel: size, stride, expansion, inputs, outputs } = block
  const channels = inputs * expansion
  const from = `_blocks.${index}`
  const to = `block${index}`
  const wide = expansion === 1
    ? input
    : layers.convolution(input, `${to}/expand`, weights.convolution(`${from}._expand_conv`, `${from}._bn0`, { size: 1, inputs, outputs: channels }))
  const filtered = layers.depthwise(wide, `${to}/depthwise`, weights.depthwise(`${from}._depthwise_conv`, `${from}._bn1`, { size, channels }), { stride })
  const narrow = layers.convolution(filtered, `${to}/project`, weights.convolution(`${from}._project_conv`, `${from}._bn2`, { size: 1, inputs: channels, outputs }), { linear: true })
  return isResidual(block) ? layers.graph.apply('AddV2', [narrow, input], {}, { name: `${to}/add` }) : narrow
}

interface ConvolutionOptions {
  /** Default 1. */
  stride?: number
  /** Leaves out the ReLU6. */
  linear?: boolean
}

/** Adds layers, each with its variables, and remembers the values these are to get. */
class Layers {
  readonly graph: Graph
  readonly values = new Map<Variable, TensorValue>()

  constructor (graph: Graph) {
    this.graph = graph
  }

  convolution (x: Output, name: string, { kernel, bias }: LayerWeights, { stride = 1, linear = false }: ConvolutionOptions = {}): Output {
    const attributes = { strides: [1, stride, stride, 1], padding: 'SAME' }
    const filtered = this.graph.apply('Conv2D', [x, this.#variable(`${name}/kernel`, kernel)], attributes, { name: `${name}/filter` })
    const sum = this.#addBias(filtered, name, bias)
    return linear ? sum : this.#relu6(sum, name)
  }

  depthwise (x: Output, name: string, { kernel, bias }: LayerWeights, { stride = 1 }: ConvolutionOptions = {}): Output {
    const attributes = { strides: [1, stride, stride, 1], padding: 'SAME' }
    const filtered = this.graph.apply('DepthwiseConv2dNative', [x, this.#variable(`${name}/kernel`, kernel)], attributes, { name: `${name}/filter` })
    return this.#relu6(this.#addBias(filtered, name, bias), name)
  }

  dense (x: Output, name: string, { kernel, bias }: LayerWeights): Output {
    return this.#addBias(this.graph.apply('MatMul', [x, this.#variable(`${name}/kernel`, kernel)], {}, { name: `${name}/product` }), name, bias)
  }

  #addBias (x: Output, name: string, bias: TensorValue): Output {
    return this.graph.apply('BiasAdd', [x, this.#variable(`${name}/bias`, bias)], {}, { name: `${name}/sum` })
  }

  #relu6 (x: Output, name: string): Output {
    return this.graph.apply('Relu6', [x], {}, { name: `${name}/relu6` })
  }

  #variable (name: string, value: TensorValue): Output {
    const variable = this.graph.variable(name, value.dtype, value.shape)
    this.values.set(variable, value)
    return variable.read()
  }
}
