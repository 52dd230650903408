import { FLOAT32, INT32, layoutOf, ofText, ofType } from './attribute-values.ts'
import { isOfChannels } from './channel-numbers.ts'
import type { GraphRewrite } from './graph-rewrite.ts'
import type { NodeDef } from './proto/tensorflow_pb.js'

const NORMS = new Set(['FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3'])
const SUMS = new Set(['Add', 'AddV2'])
/** TensorFlow's own ε where the attribute is left out. */
const EPSILON = 1e-4
const NUMBERS = { T: ofType(FLOAT32) }
const SIZES = { T: ofType(INT32) }

/** `x · scale + shift`, with one fixed number for each channel. */
interface Norm {
  readonly x: string
  readonly layout: string
  /** Adds the operations that make them, vectors, where they are not there. */
  readonly numbers: () => { scale: string, shift: string }
}

/**
 * Takes batch normalizations with given statistics into the convolution before: its filter is multiplied by `γ / √(variance + ε)`, and what is left is a
 * bias. Where filter and statistics are constants TensorFlow calculates both once, and then has one kernel for convolution, bias and activation; as they were
 * it has a slower one, and none at all for a depthwise convolution, or for a normalization that Keras 3 wrote: that is a product and a sum.
 *
 * @see https://arxiv.org/abs/1712.05877, 3.2
 */
export function foldBatchNorms (scope: GraphRewrite): void {
  if (scope.hasFrames) return
  for (const node of scope.nodes) {
    const norm = fusedNorm(scope, node) ?? plainNorm(scope, node)
    if (norm !== undefined) fold(scope, node, norm)
  }
}

/** One operation. */
function fusedNorm (scope: GraphRewrite, node: NodeDef): Norm | undefined {
  const { name, op, attr, input } = node
  const isFloat = attr['T']?.type === FLOAT32 && (attr['U']?.type ?? FLOAT32) === FLOAT32
  const isFixed = NORMS.has(op) && isFloat && attr['is_training']?.b === false && input.length === 5 // no control inputs
  if (!isFixed || !scope.isFirstAlone(node)) return undefined
  const [x, gamma, beta, mean, variance] = input as [string, string, string, string, string]
  const numbers = (): { scale: string, shift: string } => {
    const epsilon = scope.addConstant(`${name}/epsilon`, FLOAT32, attr['epsilon']?.f ?? EPSILON)
    const scale = apply(scope, `${name}/scale`, 'Mul', apply(scope, `${name}/rsqrt`, 'Rsqrt', apply(scope, `${name}/add`, 'AddV2', variance, epsilon)), gamma)
    return { scale, shift: apply(scope, `${name}/shift`, 'Sub', beta, apply(scope, `${name}/mul`, 'Mul', mean, scale)) }
  }
  return { x, layout: layoutOf(node), numbers }
}

/** A product and a sum, as Keras 3 writes it. */
function plainNorm (scope: GraphRewrite, { name, op, attr, input }: NodeDef): Norm | undefined {
  if (!SUMS.has(op) || attr['T']?.type !== FLOAT32) return undefined
  const [product, shift] = byChannel(scope, input)
  const maker = scope.onlyMaker(product)
  const [x, scale] = maker?.op === 'Mul' ? byChannel(scope, maker.input) : []
  if (x === undefined || scale === undefined || shift === undefined) return undefined
  const vector = (what: string, tensor: string): string => {
    const all = scope.addConstant(`${name}/${what}/shape`, INT32, [-1])
    return scope.add(`${name}/${what}`, 'Reshape', [tensor, all], { ...NUMBERS, Tshape: ofType(INT32) })
  }
  return { x, layout: 'NHWC', numbers: () => ({ scale: vector('scale', scale), shift: vector('shift', shift) }) }
}

/** Two inputs: pictures, and what has a number for each of their channels. */
function byChannel (scope: GraphRewrite, [a, b, ...more]: readonly string[]): [string, string] | [] {
  const pairs = [[a, b], [b, a]] as [string, string][]
  const isPair = ([x, numbers]: [string, string]): boolean => {
    const sides = scope.shape(x)
    return sides?.length === 4 && isOfChannels(scope, numbers, sides[3]!)
  }
  return (more.length === 0 ? pairs.find(isPair) : undefined) ?? []
}

function fold (scope: GraphRewrite, node: NodeDef, { x, layout: place, numbers }: Norm): void {
  const { convolution, biased } = before(scope, x)
  const fitted = convolution && FITTED[convolution.op]
  if (fitted === undefined || [convolution, biased].some(node => node !== undefined && layoutOf(node) !== place)) return
  const { scale, shift } = numbers()
  const { name } = node
  const bias = biased === undefined ? shift : apply(scope, `${name}/bias`, 'AddV2', apply(scope, `${name}/scaled`, 'Mul', biased.input[1]!, scale), shift)
  const filter = convolution!.input[1]!
  scope.reconnect(convolution!, 1, apply(scope, `${name}/filter`, 'Mul', filter, fitted(scope, name, filter, scale)))
  scope.replace(node, 'BiasAdd', [biased?.input[0] ?? x, bias], { ...NUMBERS, data_format: ofText(place) })
}

function apply (scope: GraphRewrite, name: string, op: string, ...input: string[]): string {
  return scope.add(name, op, input, NUMBERS)
}

/** The convolution that makes a tensor, and the bias that comes on top; only this tensor may be made of them. */
function before (scope: GraphRewrite, x: string): { convolution?: NodeDef | undefined, biased?: NodeDef | undefined } {
  const maker = scope.onlyMaker(x)
  return maker?.op === 'BiasAdd' ? { biased: maker, convolution: scope.onlyMaker(maker.input[0]) } : { convolution: maker }
}

/** For each kind of convolution: one number for each of its filters, so that the filter can be multiplied by it. */
const FITTED: Readonly<Record<string, (scope: GraphRewrite, name: string, filter: string, scale: string) => string>> = {
  /** [height, width, channels, filters] */
  Conv2D: (_scope, _name, _filter, scale) => scale,
  /** [height, width, channels, filters of each channel] */
  DepthwiseConv2dNative (scope, name, filter, scale) {
    const shape = scope.add(`${name}/shape`, 'Shape', [filter], { ...NUMBERS, out_type: ofType(INT32) })
    const two = scope.addConstant(`${name}/two`, INT32, [2])
    const lastTwo = scope.add(`${name}/last_two`, 'Slice', [shape, two, two], { ...SIZES, Index: ofType(INT32) })
    return scope.add(`${name}/of_channels`, 'Reshape', [scale, lastTwo], { ...NUMBERS, Tshape: ofType(INT32) })
  }
}
