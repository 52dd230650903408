import type { Attributes, DType, Graph, Operation, OperationInput, Output } from '../../tensorflow/index.ts'

/** A dimension: a number where the graph's builder knows it, a scalar int32 output where only the run does. */
export type Dimension = number | Output

/** What the products of a model are calculated in while it learns; variables and sums stay float32. */
export type Precision = 'float32' | 'bfloat16' | 'float16'

/** Products of many numbers: what takes the time, and what processors have units for in half precision. They begin it. */
const PRODUCTS = new Set(['MatMul', 'BatchMatMulV2', 'Conv2D', 'Conv2DBackpropInput', 'Conv3D', 'Conv3DBackpropInputV2', 'DepthwiseConv2dNative'])

/** What goes on in half precision if it comes in half precision: nothing is added up. Their other inputs follow. */
const FOLLOWERS = new Set(['BiasAdd', 'Relu', 'Relu6', 'LeakyRelu', 'MaxPool', 'Reshape', 'Transpose', 'ExpandDims', 'Squeeze', 'Identity', 'Pad'])

/** What goes on if all that comes is in half precision. */
const MIXERS = new Set(['AddV2', 'Mul', 'Maximum', 'ConcatV2'])

/** Takes half precision in its first input alone, and adds up in float32 itself. */
const FIRST_ONLY = new Set(['FusedBatchNormV3'])

/** What gives as many rows as its first input has. */
const KEEP_ROWS = new Set(['BiasAdd', 'Relu', 'Relu6', 'LeakyRelu', 'Elu', 'Selu', 'Tanh', 'Sigmoid', 'Softmax', 'Identity', 'Cast', 'StopGradient', 'MatMul', 'Conv2D', 'MaxPool', 'AvgPool', 'TensorportMaxPool', 'EnsureShape', 'SoftmaxCrossEntropyWithLogits'])

/** What does not look at the numbers. */
const SHAPES = new Set(['Shape', 'Size'])

/** Writes operations into a graph under one name, as a layer's: `dense/MatMul`, `dense/BiasAdd`. */
export class Scope {
  readonly graph: Graph
  readonly precision: Precision
  readonly #name: string

  /** @param name characters that TensorFlow does not allow in a name become `_` */
  constructor (graph: Graph, name: string, precision: Precision = 'float32') {
    this.graph = graph
    this.precision = precision
    this.#name = name.replace(/[^\w./-]/g, '_').replace(/^[^A-Za-z0-9.]/, '.')
  }

  under (name: string): Scope {
    return new Scope(this.graph, `${this.#name}/${name}`, this.precision)
  }

  /** The same names, with all products in float32 too: for small ones in a row, where casts take longer than they save. */
  inFloat32 (): Scope {
    return new Scope(this.graph, this.#name)
  }

  operation (type: string, inputs: readonly OperationInput[], attributes: Attributes = {}, controlInputs: readonly Operation[] = []): Operation {
    return this.graph.op(type, type === 'Cast' ? inputs : this.#fitted(type, inputs), attributes, { name: `${this.#name}/${type}`, controlInputs })
  }

  /** The first output of an operation. */
  op (type: string, inputs: readonly OperationInput[], attributes: Attributes = {}): Output {
    return this.operation(type, inputs, attributes).output(0)
  }

  /** Inputs in the precision that this kind of operation works in; nothing changes for a model in float32. */
  #fitted (type: string, inputs: readonly OperationInput[]): readonly OperationInput[] {
    const { precision } = this
    if (precision === 'float32' || SHAPES.has(type)) return inputs
    const isHalf = (input: OperationInput | undefined): boolean => input !== undefined && 'dtype' in input && input.dtype === precision
    const floats = inputs.flat().filter(({ dtype }) => dtype === 'float32' || dtype === precision)
    if (FIRST_ONLY.has(type) && isHalf(inputs[0])) return [inputs[0]!, ...this.#all(inputs.slice(1), precision, 'float32')]
    const goesOn = PRODUCTS.has(type) || (FOLLOWERS.has(type) && isHalf(inputs[0])) || (MIXERS.has(type) && floats.every(isHalf))
    return goesOn ? this.#all(inputs, 'float32', precision) : this.#all(inputs, precision, 'float32')
  }

  #all (inputs: readonly OperationInput[], from: DType, to: DType): OperationInput[] {
    const fit = (x: Output): Output => x.dtype === from ? this.graph.apply('Cast', [x], { DstT: to }, { name: `${this.#name}/Cast` }) : x
    return inputs.map(input => 'dtype' in input ? fit(input) : input.map(fit))
  }

  ints (values: readonly number[]): Output {
    return this.graph.constant({ dtype: 'int32', shape: [values.length], data: Int32Array.from(values) }, `${this.#name}/Const`)
  }

  int (value: number): Output {
    return this.graph.constant({ dtype: 'int32', shape: [], data: Int32Array.of(value) }, `${this.#name}/Const`)
  }

  number (value: number): Output {
    return this.graph.constant({ dtype: 'float32', shape: [], data: Float32Array.of(value) }, `${this.#name}/Const`)
  }

  cast (x: Output, dtype: DType): Output {
    return x.dtype === dtype ? x : this.op('Cast', [x], { DstT: dtype })
  }

  float (x: Output): Output {
    return this.cast(x, 'float32')
  }

  add (a: Output, b: Output | number): Output {
    return this.op('AddV2', [a, this.#operand(b)])
  }

  sub (a: Output | number, b: Output | number): Output {
    return this.op('Sub', [this.#operand(a), this.#operand(b)])
  }

  mul (a: Output, b: Output | number): Output {
    return this.op('Mul', [a, this.#operand(b)])
  }

  div (a: Output | number, b: Output): Output {
    return this.op('RealDiv', [this.#operand(a), b])
  }

  /** Smaller values become `low`, larger ones `high`. */
  clip (x: Output, low: number, high: number): Output {
    return this.op('Minimum', [this.op('Maximum', [x, this.number(low)]), this.number(high)])
  }

  mean (x: Output, axes: readonly number[], keepDims = false): Output {
    return this.op('Mean', [x, this.ints(axes)], { keep_dims: keepDims })
  }

  sum (x: Output, axes: readonly number[], keepDims = false): Output {
    return this.op('Sum', [x, this.ints(axes)], { keep_dims: keepDims })
  }

  /** The mean of all elements, a scalar. */
  meanOfAll (x: Output): Output {
    return this.mean(x, range(rankOf(x)))
  }

  transpose (x: Output, order: readonly number[]): Output {
    return this.op('Transpose', [x, this.ints(order)])
  }

  expandDims (x: Output, axis: number): Output {
    return this.op('ExpandDims', [x, this.int(axis)])
  }

  /** Cuts along the last axis. */
  splitLast (x: Output, sizes: readonly number[]): Output[] {
    const split = this.operation('SplitV', [x, this.ints(sizes), this.int(rankOf(x) - 1)], { num_split: sizes.length })
    return sizes.map((_, index) => split.output(index))
  }

  squeeze (x: Output, axes: readonly number[]): Output {
    return this.op('Squeeze', [x], { squeeze_dims: axes })
  }

  /** The dimensions of a tensor, each as a number where it is known. */
  dimensions (x: Output): Dimension[] {
    const shape = shapeOf(x)
    if (!shape.includes(-1)) return [...shape]
    if (shape.lastIndexOf(-1) === 0) return [this.side(x, 0), ...shape.slice(1)]
    const all = this.op('Shape', [x])
    return shape.map((side, axis) => side >= 0 ? side : this.#element(all, axis))
  }

  /** One dimension as a scalar int32. */
  side (x: Output, axis: number): Output {
    return this.#element(this.op('Shape', [axis === 0 ? withTheRowsOf(x) : x]), axis)
  }

  /** @param dimensions may hold −1 once: whatever is left over */
  reshape (x: Output, dimensions: readonly Dimension[]): Output {
    return this.op('Reshape', [x, this.#target(dimensions)])
  }

  /** Dimensions as the int32 vector that `Reshape` takes. One unknown alone becomes −1, so that the graph knows the result's shape. */
  #target (dimensions: readonly Dimension[]): Output {
    const unknown = dimensions.filter(side => typeof side !== 'number' || side < 0).length
    if (unknown > 1) return this.shape(dimensions)
    return this.ints(dimensions.map(side => typeof side === 'number' ? side : -1))
  }

  /** Dimensions as an int32 vector, for operations that make a tensor of that shape. */
  shape (dimensions: readonly Dimension[]): Output {
    if (dimensions.every(side => typeof side === 'number')) return this.ints(dimensions)
    return this.op('Pack', [dimensions.map(side => typeof side === 'number' ? this.int(side) : side)])
  }

  /** float32 */
  zeros (dimensions: readonly Dimension[]): Output {
    return this.op('Fill', [this.shape(dimensions), this.number(0)])
  }

  /** The value without a way back for gradients. */
  constantForGradients (x: Output): Output {
    return this.op('StopGradient', [x])
  }

  #operand (value: Output | number): Output {
    return typeof value === 'number' ? this.number(value) : value
  }

  #element (vector: Output, index: number): Output {
    return this.op('StridedSlice', [vector, this.ints([index]), this.ints([index + 1]), this.ints([1])], { shrink_axis_mask: 1 })
  }
}

/** The earliest tensor that has as many rows, so that whoever asks how many need not wait for the rest. */
function withTheRowsOf (x: Output): Output {
  for (let earlier = x; ;) {
    const { operation } = earlier
    if (!(KEEP_ROWS.has(operation.type) || isMasked(earlier)) || (operation.type === 'MatMul' && operation.boolAttribute('transpose_a'))) return earlier
    earlier = operation.inputs()[0]!
  }
}

/** A product with a mask of the same shape, as dropout's. */
function isMasked ({ operation }: Output): boolean {
  if (operation.type !== 'Mul') return false
  const [x, mask] = operation.inputs() as [Output, Output]
  return mask.operation.type === 'StopGradient' && x.shape !== undefined && x.shape.join() === mask.shape?.join()
}

/** 0 … count − 1. */
export function range (count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** @returns −1 where a dimension is free. @throws Error where even the rank is, which no layer of `tf.layers` leads to */
export function shapeOf (x: Output): readonly number[] {
  const { shape } = x
  if (shape === undefined) throw new Error(`The rank of ${x.name} is not known. This is a bug.`)
  return shape
}

export function rankOf (x: Output): number {
  return shapeOf(x).length
}
