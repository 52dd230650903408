import { setImmediate } from 'node:timers/promises'
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { mayForgetSlopes, slopeOf, type Sloping } from './leaky-relu.ts'
import { operationName } from './operation-name.ts'
import { FunctionDefSchema, GraphDefSchema, NodeDefSchema, type NodeDef } from './proto/tensorflow_pb.js'

const READ_OPTIONS = { readUnknownFields: false }
/** How long nodes are decoded before the event loop is let in. */
const SLICE_MS = 4

/** What a node is made of, as far as reachability goes. */
interface Node extends Sloping {
  functions: string[]
}

/** What running some tensors of a graph involves. */
export interface Reach {
  /** Types of every operation, function bodies included. */
  operations: Set<string>
  /** Names of the variable operations in the outermost graph. */
  variables: Set<string>
  /** TensorFlow may forget the slope of a leaky ReLU among them. */
  mayForgetSlopes: boolean
}

const VARIABLE_TYPES = new Set(['VarHandleOp', 'VariableV2', 'Variable'])

/** A serialized graph that can be asked what its tensors depend on. Decoding it lets the event loop in every few milliseconds. */
export class GraphWalk {
  readonly #nodes: Map<string, Node>
  readonly #functions: Map<string, Uint8Array[]>
  readonly #bodies = new Map<string, ReadonlyMap<string, Node>>()

  private constructor (nodes: Map<string, Node>, functions: Map<string, Uint8Array[]>) {
    this.#nodes = nodes
    this.#functions = functions
  }

  /** @throws Error if the bytes are not a GraphDef message */
  static async decode (graphDef: Uint8Array): Promise<GraphWalk> {
    const { node, library } = fromBinary(GraphDefSchema, graphDef, READ_OPTIONS)
    const nodes = new Map<string, Node>()
    await inSlices(node, bytes => { const decoded = decodeNode(bytes); nodes.set(decoded.name, decoded) })
    const functions = new Map<string, Uint8Array[]>()
    await inSlices(library?.function ?? [], bytes => {
      const { signature, nodeDef } = fromBinary(FunctionDefSchema, bytes, READ_OPTIONS)
      functions.set(signature?.name ?? '', nodeDef)
    })
    return new GraphWalk(nodes, functions)
  }

  /** Everything that giving these tensors runs. @param tensorNames as `probabilities:0` */
  async reach (tensorNames: readonly string[]): Promise<Reach> {
    const reach: Reach = { operations: new Set(), variables: new Set(), mayForgetSlopes: false }
    const seen = new Map<string, Node>()
    const functions = new Set<string>()
    const waiting = tensorNames.map(operationName)
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const node = this.#nodes.get(name)
      if (node === undefined || seen.has(name)) continue
      seen.set(name, node)
      reach.operations.add(node.type)
      if (VARIABLE_TYPES.has(node.type)) reach.variables.add(name)
      for (const called of node.functions) functions.add(called)
      if (this.#functions.has(node.type)) functions.add(node.type)
      waiting.push(...node.inputs.map(operationName))
    }
    reach.mayForgetSlopes = mayForgetSlopes(seen)
    await this.#addFunctions(reach, functions)
    return reach
  }

  /** A function's whole body counts, since its operations with effects run whether its outputs need them or not. */
  async #addFunctions (reach: Reach, functions: Set<string>): Promise<void> {
    for (const name of functions) { // grows while it is walked
      reach.operations.delete(name)
      const body = await this.#body(name)
      reach.mayForgetSlopes ||= mayForgetSlopes(body)
      for (const { type, functions: called } of body.values()) {
        if (this.#functions.has(type)) functions.add(type)
        else reach.operations.add(type)
        for (const inner of called) functions.add(inner)
      }
    }
  }

  async #body (name: string): Promise<ReadonlyMap<string, Node>> {
    const known = this.#bodies.get(name)
    if (known !== undefined) return known
    const body = new Map<string, Node>()
    await inSlices(this.#functions.get(name) ?? [], bytes => { const decoded = decodeNode(bytes); body.set(decoded.name, decoded) })
    this.#bodies.set(name, body)
    return body
  }
}

function decodeNode (bytes: Uint8Array): Node & { name: string } {
  const { name, op, input, attr } = fromBinary(NodeDefSchema, bytes, READ_OPTIONS)
  return { name, type: op, inputs: input, functions: calledFunctions(attr), slope: slopeOf({ op, attr }) }
}

/** Names of the functions that an operation's attributes name. */
export function calledFunctions (attributes: NodeDef['attr']): string[] {
  return Object.values(attributes).flatMap(({ func, list }) => [...(func === undefined ? [] : [func.name]), ...(list?.func ?? []).map(({ name }) => name)])
}

/** Visits every item, letting the event loop in every few milliseconds. */
export async function inSlices<Item> (items: readonly Item[], visit: (item: Item) => void): Promise<void> {
  let since = performance.now()
  for (const item of items) {
    visit(item)
    if (performance.now() - since < SLICE_MS) continue
    await setImmediate()
    since = performance.now()
  }
}

/**
 * The part of a GraphDef that some tensors depend on. Nodes stay byte for byte what they are.
 *
 * @param outputs as `probabilities:0`
 * @param stops tensors that are to be given from elsewhere; what they alone depend on is left out
 */
export function pruneGraphDef (graphDef: Uint8Array, outputs: readonly string[], stops: readonly string[] = []): Uint8Array {
  const message = fromBinary(GraphDefSchema, graphDef)
  const nodes = new Map(message.node.map(bytes => { const decoded = decodeNode(bytes); return [decoded.name, { bytes, inputs: decoded.inputs }] }))
  const kept = new Set<string>()
  const waiting = outputs.map(operationName)
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (kept.has(name)) continue
    kept.add(name)
    waiting.push(...(nodes.get(name)?.inputs ?? []).filter(input => !isStopped(input, stops)).map(operationName))
  }
  message.node = [...nodes].filter(([name]) => kept.has(name)).map(([, { bytes }]) => bytes)
  return toBinary(GraphDefSchema, message)
}

function isStopped (input: string, stops: readonly string[]): boolean {
  return stops.includes(input) || stops.includes(`${input}:0`)
}
