import { FLOAT32, INT32, ofType, type GraphRewrite } from './graph-rewrite.ts'
import type { NodeDef } from './proto/tensorflow_pb.js'

const NORMS = new Set(['FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3'])
/** TensorFlow's own ε where the attribute is left out. */
const EPSILON = 1e-4
const NUMBERS = { T: ofType(FLOAT32) }
const SIZES = { T: ofType(INT32) }

/**
 * Takes batch normalizations with given statistics into the convolution before: its filter is multiplied by `γ / √(variance + ε)`, and what is left is a
 * bias. Where filter and statistics are constants TensorFlow calculates both once, and then has one kernel for convolution, bias and activation; as they were
 * it has a slower one, and none at all for a depthwise convolution.
 *
 * @see https://arxiv.org/abs/1712.05877, 3.2
 */
export function foldBatchNorms (scope: GraphRewrite): void {
  const { nodes } = scope
  if (nodes.some(({ op }) => op === 'Enter')) return // loops of TensorFlow 1: a constant belongs to none
  for (const node of nodes) if (isFixedNorm(node) && scope.isFirstAlone(node)) fold(scope, node)
}

function isFixedNorm ({ op, attr, input }: NodeDef): boolean {
  const isFloat = attr['T']?.type === FLOAT32 && (attr['U']?.type ?? FLOAT32) === FLOAT32
  return NORMS.has(op) && isFloat && attr['is_training']?.b === false && input.length === 5 // no control inputs
}

function fold (scope: GraphRewrite, norm: NodeDef): void {
  const [x, gamma, beta, mean, variance] = norm.input as [string, string, string, string, string]
  const { convolution, biased } = before(scope, x)
  const fitted = convolution && FITTED[convolution.op]
  if (fitted === undefined || [convolution, biased].some(node => node !== undefined && layout(node) !== layout(norm))) return
  const apply = (name: string, op: string, ...input: string[]): string => scope.add(`${norm.name}/${name}`, op, input, NUMBERS)
  const epsilon = scope.addConstant(`${norm.name}/epsilon`, FLOAT32, norm.attr['epsilon']?.f ?? EPSILON)
  const scale = apply('scale', 'Mul', apply('rsqrt', 'Rsqrt', apply('add', 'AddV2', variance, epsilon)), gamma)
  const shift = biased === undefined ? mean : apply('shift', 'Sub', mean, biased.input[1]!)
  const bias = apply('bias', 'Sub', beta, apply('mul', 'Mul', shift, scale))
  const filter = convolution!.input[1]!
  scope.reconnect(convolution!, 1, apply('filter', 'Mul', filter, fitted(scope, norm.name, filter, scale)))
  scope.replace(norm, 'BiasAdd', [biased?.input[0] ?? x, bias], { ...NUMBERS, ...(norm.attr['data_format'] && { data_format: norm.attr['data_format'] }) })
}

/** The convolution that makes a tensor, and the bias that comes on top; only this tensor may be made of them. */
function before (scope: GraphRewrite, x: string): { convolution?: NodeDef | undefined, biased?: NodeDef | undefined } {
  const maker = scope.onlyMaker(x)
  return maker?.op === 'BiasAdd' ? { biased: maker, convolution: scope.onlyMaker(maker.input[0]) } : { convolution: maker }
}

/** Where the channels are. */
function layout ({ attr }: NodeDef): string {
  return Buffer.from(attr['data_format']?.s ?? 'NHWC').toString()
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
