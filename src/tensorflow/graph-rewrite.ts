import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { FLOAT32, INT32, INT64, ofType, sidesOf } from './attribute-values.ts'
import { elementCount } from './dtype.ts'
import type { FunctionParts, GraphParts, Part } from './graph-parts.ts'
import { inSlices } from './graph-walk.ts'
import { opDef } from './op-def.ts'
import { operationName } from './operation-name.ts'
import { ConstantNodeSchema, NodeDefSchema, type AttrValue, type ConstantNode, type NodeDef, type TensorProto } from './proto/tensorflow_pb.js'

/** A longer message is not that of a few numbers. */
const MAX_SMALL_BYTES = 512

/** A tensor's shape by its name, −1 for a free dimension; undefined where nothing is known. */
export type ShapeOf = (tensorName: string) => readonly number[] | undefined

interface RewriteTerms {
  /** What is taken from the graph or fed, as `probabilities:0`. */
  readonly tensorNames: readonly string[]
  /** Of the graph's tensors; those of functions are stated by their operations. */
  readonly shapeOf: ShapeOf
}

/** Rewrites the graph and the body of each function, letting the event loop in between. */
export async function rewriteScopes (parts: GraphParts, { tensorNames, shapeOf }: RewriteTerms, rewrite: (scope: GraphRewrite) => void): Promise<GraphParts> {
  const graph = new GraphRewrite(parts.nodes, tensorNames, shapeOf)
  rewrite(graph)
  const functions = new Map<string, FunctionParts>()
  await inSlices([...parts.functions], ([name, body]) => { functions.set(name, rewriteBody(body, rewrite)) })
  return { ...parts, nodes: graph.parts, functions }
}

function rewriteBody (body: FunctionParts, rewrite: (scope: GraphRewrite) => void): FunctionParts {
  const { ret } = body.definition
  const scope = new GraphRewrite(body.nodes, Object.values(ret))
  rewrite(scope)
  return { ...body, nodes: scope.parts, definition: { ...body.definition, ret: Object.fromEntries(Object.entries(ret).map(([name, tensor]) => [name, scope.nameOf(tensor)])) } }
}

/** The operations of a graph or of a function's body, while some are put in the place of others. */
export class GraphRewrite {
  readonly #parts: Map<string, Part>
  readonly #taken: ReadonlySet<string>
  readonly #shapeOf: ShapeOf | undefined
  /** By operation: all inputs, and tensors that are taken, that name it. */
  readonly #uses = new Map<string, string[]>()
  /** Tensors of a function's body that have another name since another operation makes them. */
  readonly #moved = new Map<string, string>()
  /** Operations that others were put in the place of. */
  readonly #replaced = new Set<string>()

  /** @param shapeOf left out for a function's body */
  constructor (parts: ReadonlyMap<string, Part>, taken: readonly string[], shapeOf?: ShapeOf) {
    this.#parts = new Map(parts)
    this.#taken = new Set(taken.map(operationName))
    this.#shapeOf = shapeOf
    for (const input of [...parts.values()].flatMap(({ node }) => node.input).concat(taken)) {
      const uses = this.#uses.get(operationName(input))
      if (uses === undefined) this.#uses.set(operationName(input), [input])
      else uses.push(input)
    }
  }

  /** As they are by now, by name. */
  get parts (): ReadonlyMap<string, Part> {
    return this.#moved.size === 0 ? this.#parts : new Map([...this.#parts].map(([name, part]) => [name, this.#renamed(part)]))
  }

  /** To be read; what is changed meanwhile does not change here. */
  get nodes (): readonly NodeDef[] {
    return [...this.#parts.values()].map(({ node }) => node)
  }

  /** An operation as it is by now. */
  current ({ name }: NodeDef): NodeDef {
    return this.#parts.get(name)!.node
  }

  /** There are loops of TensorFlow 1: a constant that is added belongs to none of them. */
  get hasFrames (): boolean {
    return this.nodes.some(({ op }) => op === 'Enter')
  }

  /** What a tensor that was taken is called by now. */
  nameOf (tensor: string): string {
    return this.#moved.get(tensor) ?? tensor
  }

  /** The operation whose first output an input is, and nothing else: no argument of the function, no other output, none that is taken or fed. */
  maker (input: string | undefined): NodeDef | undefined {
    const node = input === undefined ? undefined : this.#parts.get(operationName(input))?.node
    return node !== undefined && this.#isFirst(node, input!) && !this.#taken.has(node.name) ? node : undefined
  }

  /** That operation, if nothing else uses it. */
  onlyMaker (input: string | undefined): NodeDef | undefined {
    const node = this.maker(input)
    return node !== undefined && this.#uses.get(node.name)?.length === 1 ? node : undefined
  }

  /** The shape of an operation's first output, as it was found in the graph; −1 for a free dimension. */
  shape (input: string | undefined): readonly number[] | undefined {
    const node = this.maker(input)
    if (node === undefined || this.#replaced.has(node.name)) return undefined
    if (this.#shapeOf !== undefined) return this.#shapeOf(`${node.name}:0`)
    return sidesOf(node.attr['_output_shapes']?.list?.shape[0]) // TensorFlow writes it into the functions that it saves
  }

  /** The value of a constant that is one float32. */
  scalar (input: string | undefined): number | undefined {
    const tensor = this.#smallConstant(input)
    if (tensor?.dtype !== FLOAT32 || (tensor.tensorShape?.dim.length ?? 0) > 0) return undefined
    return tensor.tensorContent.length === 4 ? new DataView(tensor.tensorContent.slice().buffer).getFloat32(0, true) : tensor.floatVal[0] ?? 0 // zeros are left out
  }

  /** The numbers of a constant that is a few of int32 or int64, row by row. */
  integers (input: string | undefined): number[] | undefined {
    const tensor = this.#smallConstant(input)
    if (tensor?.dtype !== INT32 && tensor?.dtype !== INT64) return undefined
    const { dtype, tensorShape, tensorContent, intVal, int64Val } = tensor
    const content = tensorContent.slice().buffer
    if (content.byteLength > 0) return dtype === INT32 ? [...new Int32Array(content)] : [...new BigInt64Array(content)].map(Number)
    const listed = dtype === INT32 ? intVal : int64Val.map(Number)
    return Array.from({ length: elementCount(sidesOf(tensorShape) ?? []) }, (_, index) => listed[index] ?? listed.at(-1) ?? 0) // the last one is repeated, zeros are left out
  }

  /** Adds an operation. @param name if it is taken, that and a number @returns its first output */
  add (name: string, op: string, input: readonly string[], attr: Readonly<Record<string, AttrValue>>): string {
    const node = create(NodeDefSchema, { name: this.#freeName(name), op, input: [...input], attr: { ...attr } })
    return this.#put(node, toBinary(NodeDefSchema, node))
  }

  /** Adds a constant: one number, or a vector. @param dtype FLOAT32 or INT32 @returns its output */
  addConstant (name: string, dtype: number, value: number | readonly number[]): string {
    const values = typeof value === 'number' ? [value] : value
    const numbers = dtype === FLOAT32 ? Float32Array.from(values) : Int32Array.from(values)
    const tensorShape = { dim: typeof value === 'number' ? [] : [{ size: BigInt(values.length) }] }
    const constant: ConstantNode = create(ConstantNodeSchema, { attr: { value: { tensor: { dtype, tensorShape, tensorContent: new Uint8Array(numbers.buffer) } } } })
    const node = create(NodeDefSchema, { name: this.#freeName(name), op: 'Const', attr: { dtype: ofType(dtype) } })
    return this.#put(node, Buffer.concat([toBinary(NodeDefSchema, node), toBinary(ConstantNodeSchema, constant)])) // messages in a row are one
  }

  /** Puts another operation in the place of one: who used its first output uses the new one's. Others that are used have to have the same place and name. */
  replace (node: NodeDef, op: string, input: readonly string[], attr: Readonly<Record<string, AttrValue>>): void {
    const put = create(NodeDefSchema, { name: node.name, op, input: [...input], device: node.device, attr: { ...attr } })
    const [from, to] = [this.#output(node), this.#put(put, toBinary(NodeDefSchema, put))]
    this.#replaced.add(node.name)
    if (from !== to) this.#moved.set(from, to)
  }

  /** Gives an operation another input. */
  reconnect (node: NodeDef, index: number, input: string): void {
    this.#edit(node, ({ input: inputs }) => { inputs[index] = input })
  }

  /** Gives an operation other attributes; those that are not named stay. */
  alter (node: NodeDef, changed: Readonly<Record<string, AttrValue>>): void {
    this.#edit(node, ({ attr }) => { Object.assign(attr, changed) })
  }

  /** Another output of an operation that was added. @param first its first one @param output what TensorFlow calls it, as `h` */
  output (first: string, output: string): string {
    const { name, op } = this.#parts.get(operationName(first))!.node
    return this.#shapeOf === undefined ? `${name}:${output}:0` : `${name}:${opDef(op)!.outputArg.findIndex(({ name }) => name === output)}`
  }

  /** Whether of an operation's outputs only the first is used. */
  isFirstAlone (node: NodeDef): boolean {
    return this.tensorsUsed(node).every(input => this.#isFirst(node, input))
  }

  /** The outputs of an operation that are used: by number, in a function's body by name. */
  placesUsed (node: NodeDef): string[] {
    return this.tensorsUsed(node).map(input => input.split(':')[1] ?? '0')
  }

  /** An operation's outputs as they are named where they are used or taken, as often. */
  tensorsUsed ({ name }: NodeDef): string[] {
    return (this.#uses.get(name) ?? []).filter(input => !input.startsWith('^'))
  }

  #smallConstant (input: string | undefined): TensorProto | undefined {
    const node = this.maker(input)
    if (node?.op !== 'Const') return undefined
    const { bytes } = this.#parts.get(node.name)!
    return bytes.length > MAX_SMALL_BYTES ? undefined : fromBinary(ConstantNodeSchema, bytes, { readUnknownFields: false }).attr['value']?.tensor
  }

  #edit ({ name }: NodeDef, edit: (node: NodeDef) => void): void {
    const node = fromBinary(NodeDefSchema, this.#parts.get(name)!.bytes)
    edit(node)
    this.#put(node, toBinary(NodeDefSchema, node))
  }

  #put (node: NodeDef, bytes: Uint8Array): string {
    this.#parts.set(node.name, { node, bytes })
    return this.#output(node)
  }

  /** What its first output is called: `name` in a graph, `name:output:0` in a function. */
  #output ({ name, op }: NodeDef): string {
    const output = this.#shapeOf === undefined ? opDef(op)?.outputArg[0]?.name : undefined
    return output === undefined ? name : `${name}:${output}:0`
  }

  #isFirst (node: NodeDef, input: string): boolean {
    return input === node.name || input === `${node.name}:0` || input === this.#output(node)
  }

  #freeName (name: string): string {
    let free = name
    for (let count = 1; this.#parts.has(free); count++) free = `${name}_${count}`
    return free
  }

  #renamed (part: Part): Part {
    if (!part.node.input.some(input => this.#moved.has(input))) return part
    const node = fromBinary(NodeDefSchema, part.bytes)
    node.input = node.input.map(input => this.nameOf(input))
    return { node, bytes: toBinary(NodeDefSchema, node) }
  }
}
