import { api } from './library.ts'
import { offLoop, type Pointer } from './c-api.ts'
import { attributeSetters, type Attributes } from './attributes.ts'
import { readBuffer, readBufferOffLoop, withBuffer } from './buffer.ts'
import { allocateArray, dtypeCode, elementCount, type DType, type TensorValue, type ValueDType } from './dtype.ts'
import { defineFunction } from './function.ts'
import { opDef } from './op-def.ts'
import { pruneGraphDef } from './graph-walk.ts'
import { ancestors, Operation, Output, outputArray, readOutputArray } from './operation.ts'
import { checked, checkedOffLoop } from './status.ts'
import type { Tensor } from './tensor.ts'
import { Variable } from './variable.ts'
import type { OpDef } from './proto/tensorflow_pb.js'

export type OperationInput = Output | readonly Output[]

export interface OperationOptions {
  /** Made unique in the graph by a number at its end; the type if left out. */
  name?: string
  /** Operations that have to run before this one. */
  controlInputs?: readonly Operation[]
  /** As `/device:GPU:0`. */
  device?: string
}

export interface ImportOptions {
  /** Put before every imported name, with a slash. */
  prefix?: string
  /** Tensors of the imported graph (`x:0`) that are replaced by outputs already here. */
  inputMap?: Readonly<Record<string, Output>>
  /** Import only what these tensors (`y:0`) depend on; all if left out. */
  outputs?: readonly string[]
}

/**
 * A TensorFlow graph being built. Adding operations is synchronous and quick; nothing runs until a `Session` does.
 * Owned by its maker: `dispose` it after the sessions on it are closed.
 */
export class Graph {
  #pointer: Pointer
  /** How many operations asked for a name, so that a free one is found at once. */
  readonly #counts = new Map<string, number>()

  constructor () {
    this.#pointer = api().TF_NewGraph()
  }

  /** The TF_Graph, for calls in this folder. */
  get pointer (): Pointer {
    if (this.#pointer === null) throw new Error('The graph is disposed. This is a bug.')
    return this.#pointer
  }

  /**
   * Adds an operation.
   *
   * @param type TensorFlow's operation, as `Conv2D`
   * @param inputs in the order of TensorFlow's definition; a list where it takes a list
   * @param attributes by TensorFlow's names; types and counts that follow from the inputs may be left out
   * @throws TypeError if the operation, an attribute or the number of inputs is unknown to TensorFlow
   * @throws TensorFlowError if TensorFlow refuses types, shapes or the name
   */
  op (type: string, inputs: readonly OperationInput[] = [], attributes: Attributes = {}, options: OperationOptions = {}): Operation {
    const definition = opDef(type)
    if (definition === undefined) throw new TypeError(`TensorFlow has no operation "${type}"`)
    checkInputs(definition, inputs)
    const setters = attributeSetters(definition, attributes)
    const description = this.#describe(type, inputs, options)
    const finish = (): Pointer => checked(status => api().TF_FinishOperation(description, status))
    try {
      for (const set of setters) set(description)
    } catch (error) {
      try { finish() } catch {} // frees the description
      throw error
    }
    return new Operation(this.pointer, finish())
  }

  /** The only output of an operation. @see op */
  apply (type: string, inputs: readonly OperationInput[] = [], attributes: Attributes = {}, options: OperationOptions = {}): Output {
    return this.op(type, inputs, attributes, options).output(0)
  }

  constant (value: TensorValue, name?: string): Output {
    return this.apply('Const', [], { dtype: value.dtype, value }, named(name))
  }

  /** A constant of exactly this name, copied off the event loop. @param tensor stays its owner's */
  async constantOffLoop (tensor: Tensor, name: string): Promise<Output> {
    const c = api()
    const description = c.TF_NewOperation(this.pointer, 'Const', name)
    c.TF_SetAttrType(description, 'dtype', dtypeCode(tensor.dtype))
    const failed = await checkedOffLoop(c.TF_SetAttrTensor, description, 'value', tensor.pointer).then(() => undefined, (error: unknown) => error)
    const operation = await checkedOffLoop(c.TF_FinishOperation, description).catch((error: unknown) => { throw failed ?? error }) // frees the description in any case
    return new Operation(this.pointer, operation).output()
  }

  /** A constant of shape []. 64-bit whole numbers as bigint. */
  scalar (dtype: Exclude<ValueDType, 'string' | 'float16' | 'bfloat16' | 'complex64' | 'complex128'>, number: number | bigint): Output {
    const data = allocateArray(dtype, 1)
    data[0] = (typeof data[0] === 'bigint' ? BigInt(number) : Number(number))
    return this.constant({ dtype, shape: [], data })
  }

  /** An int32 vector, as shapes, axes and sizes are given. */
  ints (values: readonly number[]): Output {
    return this.constant({ dtype: 'int32', shape: [values.length], data: Int32Array.from(values) })
  }

  /** An input that every run has to feed. @param shape −1 for a free dimension, null for an open rank */
  placeholder (dtype: DType, shape: readonly number[] | null, name?: string): Output {
    return this.apply('Placeholder', [], { dtype, shape }, named(name))
  }

  /**
   * A variable of exactly this name; the session holds its value once `assign` has run.
   *
   * @throws RangeError if the graph has an operation of this name
   */
  variable (name: string, dtype: DType, shape: readonly number[], readAfter?: Operation): Variable {
    if (this.operation(name) !== undefined) throw new RangeError(`The graph already has an operation "${name}"`)
    const handle = this.apply('VarHandleOp', [], { dtype, shape, shared_name: name }, { name })
    return new Variable(this, name, dtype, shape, handle, readAfter)
  }

  /**
   * A variable that came with an imported or a loaded graph.
   *
   * @param name of its `VarHandleOp`
   * @throws RangeError if there is none of this name
   */
  existingVariable (name: string): Variable {
    const operation = this.operation(name)
    if (operation?.type !== 'VarHandleOp') throw new RangeError(`The graph has no variable "${name}"`)
    return new Variable(this, name, operation.typeAttribute('dtype'), operation.shapeAttribute('shape'), operation.output())
  }

  /** An operation that runs after all of these. */
  group (operations: readonly Operation[], name?: string): Operation {
    return this.op('NoOp', [], {}, { ...named(name), controlInputs: operations })
  }

  operation (name: string): Operation | undefined {
    const pointer = api().TF_GraphOperationByName(this.pointer, name)
    return pointer === null ? undefined : new Operation(this.pointer, pointer)
  }

  /** @param name as `probabilities:0`; without a colon, output 0 */
  output (name: string): Output | undefined {
    const colon = name.lastIndexOf(':')
    const operation = this.operation(colon < 0 ? name : name.slice(0, colon))
    const index = colon < 0 ? 0 : Number(name.slice(colon + 1))
    return operation === undefined || !(index < operation.outputCount) ? undefined : operation.output(index)
  }

  /**
   * Makes a graph a function that operations here, as `While`, may call by its name.
   *
   * @param body is copied; it stays its maker's to dispose of
   * @param inputs placeholders of the body
   * @returns the function's name: the one asked for, with a mark of its content
   */
  defineFunction (name: string, body: Graph, inputs: readonly Output[], outputs: readonly Output[]): string {
    return defineFunction(this.pointer, name, { graph: body.pointer, inputs, outputs })
  }

  /** Every operation, in the order they were added. */
  * operations (): Iterable<Operation> {
    const position = new BigUint64Array(1)
    for (;;) {
      const pointer = api().TF_GraphNextOperation(this.pointer, position)
      if (pointer === null) return
      yield new Operation(this.pointer, pointer)
    }
  }

  /**
   * Adds the operations that give ∂(Σ ys)/∂x for each x.
   *
   * @param dys gradients that come in at `ys`, of their shapes; ones if left out
   * @returns for each x its gradient, undefined where no y depends on it
   * @throws TensorFlowError if an operation in between has no gradient, naming it
   */
  gradients (ys: readonly Output[], xs: readonly Output[], dys?: readonly Output[]): (Output | undefined)[] {
    if (dys !== undefined && dys.length !== ys.length) throw new RangeError(`Expected ${ys.length} incoming gradients but received ${dys.length}`)
    const reached = ancestors(ys)
    const asked = xs.filter(({ operation }) => reached.has(operation.pointer))
    const found = asked.length === 0 ? [] : this.#addGradients(ys, asked, dys)
    const byInput = new Map(asked.map((x, index) => [x, found[index]]))
    return xs.map(x => byInput.get(x))
  }

  #addGradients (given: readonly Output[], xs: readonly Output[], dys: readonly Output[] | undefined): (Output | undefined)[] {
    // TensorFlow loses the ways that lead from one y through another: none does so once each is seen through an operation of its own.
    const ys = given.length === 1 ? given : given.map(y => this.apply('Identity', [y]))
    const found = outputArray(xs.map(() => undefined))
    checked(status => {
      api().TF_AddGradients(this.pointer, outputArray(ys), ys.length, outputArray(xs), xs.length, dys === undefined ? null : outputArray(dys), status, found)
    })
    return readOutputArray(found, this.pointer)
  }

  /**
   * Adds the operations of a GraphDef message.
   *
   * @throws TensorFlowError if a name is taken, an operation is unknown or a mapped input does not fit
   */
  importGraphDef (graphDef: Uint8Array, options: ImportOptions = {}): void {
    const pointer = newImportOptions(options)
    try {
      withBuffer(pruned(graphDef, options), buffer => { checked(status => { api().TF_GraphImportGraphDef(this.pointer, buffer, pointer, status) }) })
    } finally {
      api().TF_DeleteImportGraphDefOptions(pointer)
    }
  }

  /** Off the event loop, but for a copy of the bytes. Nothing else may use the graph meanwhile. @see importGraphDef */
  async importGraphDefOffLoop (graphDef: Uint8Array, options: ImportOptions = {}): Promise<void> {
    const c = api()
    const pointer = newImportOptions(options)
    const bytes = pruned(graphDef, options)
    const buffer = c.TF_NewBufferFromString(bytes, bytes.byteLength)
    try {
      await checkedOffLoop(c.TF_GraphImportGraphDef, this.pointer, buffer, pointer)
    } finally {
      c.TF_DeleteBuffer(buffer)
      c.TF_DeleteImportGraphDefOptions(pointer)
    }
  }

  /** The graph as a GraphDef message. */
  toGraphDef (): Uint8Array {
    return readBuffer(buffer => { checked(status => { api().TF_GraphToGraphDef(this.pointer, buffer, status) }) })
  }

  /** Off the event loop, but for a copy of the bytes. @see toGraphDef */
  async toGraphDefOffLoop (): Promise<Uint8Array> {
    return await readBufferOffLoop(buffer => checkedOffLoop(api().TF_GraphToGraphDef, this.pointer, buffer))
  }

  /** At once, which takes tens of milliseconds with thousands of operations. Idempotent. */
  dispose (): void {
    const pointer = this.#release()
    if (pointer !== null) api().TF_DeleteGraph(pointer)
  }

  /** Disposes off the event loop. Idempotent. */
  async close (): Promise<void> {
    const pointer = this.#release()
    if (pointer !== null) await offLoop(api().TF_DeleteGraph, pointer)
  }

  #release (): Pointer {
    const pointer = this.#pointer
    this.#pointer = null
    return pointer
  }

  #describe (type: string, inputs: readonly OperationInput[], { name, controlInputs = [], device }: OperationOptions): Pointer {
    const c = api()
    const description = c.TF_NewOperation(this.pointer, type, this.uniqueName(name ?? type))
    for (const input of inputs) addInput(description, input)
    for (const operation of controlInputs) c.TF_AddControlInput(description, operation.pointer)
    if (device !== undefined) c.TF_SetDevice(description, device)
    return description
  }

  /** The name itself if it is free, else the first free one of `name_1`, `name_2`, … */
  uniqueName (name: string): string {
    let count = this.#counts.get(name) ?? 0
    let unique = count === 0 ? name : `${name}_${count}`
    while (api().TF_GraphOperationByName(this.pointer, unique) !== null) unique = `${name}_${++count}`
    this.#counts.set(name, count)
    return unique
  }
}

function named (name: string | undefined): OperationOptions {
  return name === undefined ? {} : { name }
}

/** TensorFlow's own options, of the caller to free with TF_DeleteImportGraphDefOptions. */
function newImportOptions ({ prefix = '', inputMap = {} }: ImportOptions): Pointer {
  const c = api()
  const options = c.TF_NewImportGraphDefOptions()
  c.TF_ImportGraphDefOptionsSetPrefix(options, prefix)
  for (const [name, output] of Object.entries(inputMap)) {
    const [source = '', index = '0'] = name.split(':')
    c.TF_ImportGraphDefOptionsAddInputMapping(options, source, Number(index), output.c)
  }
  return options
}

function pruned (graphDef: Uint8Array, { inputMap = {}, outputs }: ImportOptions): Uint8Array {
  return outputs === undefined ? graphDef : pruneGraphDef(graphDef, outputs, Object.keys(inputMap))
}

function addInput (description: Pointer, input: OperationInput): void {
  if (input instanceof Output) api().TF_AddInput(description, input.c)
  else api().TF_AddInputList(description, outputArray(input), (input).length)
}

function checkInputs ({ name, inputArg }: OpDef, inputs: readonly OperationInput[]): void {
  if (inputs.length !== inputArg.length) {
    throw new TypeError(`Expected ${inputArg.length} inputs for ${name} (${inputArg.map(argument => argument.name).join(', ')}) but received ${inputs.length}`)
  }
  inputArg.forEach((argument, index) => {
    const isList = argument.numberAttr !== '' || argument.typeListAttr !== ''
    if (isList === inputs[index] instanceof Output) throw new TypeError(`Expected ${isList ? 'a list' : 'one output'} for ${name}'s input "${argument.name}"`)
  })
}

/** A TensorValue of numbers, checked against its shape. */
export function floats (shape: readonly number[], values: ArrayLike<number>): TensorValue {
  if (values.length !== elementCount(shape)) throw new RangeError(`Expected ${elementCount(shape)} values for [${shape.join(', ')}] but received ${values.length}`)
  return { dtype: 'float32', shape, data: values instanceof Float32Array ? values : Float32Array.from(values) }
}

/** Byte strings of a string tensor. */
export function strings (shape: readonly number[], values: readonly string[]): TensorValue {
  const encoder = new TextEncoder()
  return { dtype: 'string', shape, data: values.map(value => encoder.encode(value)) }
}
