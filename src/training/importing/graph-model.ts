import type tf from '@tensorflow/tfjs'
import { BadModelFileError, CannotImportError } from '../../errors.ts'
import { dtypeFromCode, elementCount, Graph, opDef, Session, TensorFlowError, type Attributes, type AttributeValue, type DType, type Operation, type OperationInput, type Output, type TensorValue } from '../../tensorflow/index.ts'
import { closePredictor, type Predictor } from '../predictor.ts'
import { tf as tfjs } from '../tf.ts'
import { expandFused } from './fused-operations.ts'
import type { ImportedModel, ModelShape } from './imported-model.ts'
import { isObject, type JsonObject } from './json.ts'
import { readWeightShards } from './weight-shards.ts'

/**
 * A graph model of TensorFlow.js, as its converter writes it: the operations of a frozen TensorFlow graph, in JSON. They are written into a graph
 * again, one by one; those that only TensorFlow.js has are taken apart. Quantized weights become floats again.
 *
 * @param path of its `model.json`; the shards lie beside it
 * @throws BadModelFileError if it is broken
 * @throws CannotImportError for operations that TensorFlow has not, or that call functions
 */
export async function readGraphModel (path: string, json: JsonObject): Promise<ImportedModel> {
  const { weightData, weightSpecs } = await readWeightShards(path, json['weightsManifest'])
  const decoded = tfjs.io.decodeWeights(weightData, weightSpecs)
  const weights = new Map(Object.entries(decoded).map(([name, tensor]) => [name, valueOf(tensor)]))
  tfjs.dispose(decoded)
  const build = (): Predictor => buildGraph(path, json, weights)
  const { graph, session, inputs, outputs } = build()
  const shape: ModelShape = { inputs: shapesOf(inputs), outputs: shapesOf(outputs), rescales: false, hasFreeTypes: false }
  await closePredictor({ graph, session })
  return {
    shape,
    weights: weightSpecs.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    toPredictor: async () => build()
  }
}

function shapesOf (tensors: Readonly<Record<string, Output>>): ModelShape['inputs'] {
  return Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape ?? []]))
}

function buildGraph (path: string, json: JsonObject, weights: ReadonlyMap<string, TensorValue>): Predictor {
  const topology = json['modelTopology'] as JsonObject
  const library = topology['library']
  if (isObject(library) && Array.isArray(library['function']) && library['function'].length > 0) throw new CannotImportError(path, 'its graph calls functions (loops or branches)')
  if (json['modelInitializer'] !== undefined) throw new CannotImportError(path, 'it has tables that are filled when it starts')
  const graph = new Graph()
  try {
    const nodes = new GraphNodes(path, graph, topology['node'], weights)
    const { inputs, outputs } = nodes.ends(json['signature'] ?? (isObject(json['userDefinedMetadata']) ? json['userDefinedMetadata']['signature'] : undefined))
    return { graph, session: new Session(graph), variables: [], inputs, outputs }
  } catch (error) {
    graph.dispose()
    throw error
  }
}

/** A node of the JSON, checked. */
export interface GraphNode {
  readonly name: string
  readonly op: string
  readonly input: readonly string[]
  readonly attr: Readonly<Record<string, JsonObject>>
}

class GraphNodes {
  readonly #path: string
  readonly #graph: Graph
  readonly #weights: ReadonlyMap<string, TensorValue>
  readonly #nodes: ReadonlyMap<string, GraphNode>
  readonly #operations = new Map<string, Operation>()

  constructor (path: string, graph: Graph, nodes: unknown, weights: ReadonlyMap<string, TensorValue>) {
    if (!Array.isArray(nodes)) throw new BadModelFileError(path, 'its graph has no nodes')
    this.#path = path
    this.#graph = graph
    this.#weights = weights
    const parts = nodes.flatMap((node: unknown) => expandFused(path, checkedNode(path, node)))
    this.#nodes = new Map(parts.map(node => [node.name, node]))
    for (const { name } of parts) this.#build(name)
  }

  /** What the signature names; without one, what is fed, and what nothing else uses. */
  ends (signature: unknown): { inputs: Record<string, Output>, outputs: Record<string, Output> } {
    if (isObject(signature) && isObject(signature['inputs']) && isObject(signature['outputs'])) {
      const named = (ends: JsonObject): Record<string, Output> => Object.fromEntries(Object.entries(ends).map(([key, info]) => [key.replace(/:0$/, ''), this.#output(isObject(info) && typeof info['name'] === 'string' ? info['name'] : key)]))
      return { inputs: named(signature['inputs']), outputs: named(signature['outputs']) }
    }
    const used = new Set([...this.#nodes.values()].flatMap(({ input }) => input.map(name => name.replace(/^\^/, '').replace(/:\d+$/, ''))))
    const all = [...this.#nodes.values()]
    const pick = (isPicked: (node: GraphNode) => boolean): Record<string, Output> => Object.fromEntries(all.filter(isPicked).map(({ name }) => [name, this.#output(name)]))
    return { inputs: pick(({ op }) => op === 'Placeholder'), outputs: pick(({ name, op }) => !used.has(name) && op !== 'Placeholder' && op !== 'Const' && op !== 'NoOp') }
  }

  /** Inputs before what uses them, however deep: a graph may be a chain of thousands. */
  #build (last: string): void {
    const waiting = [last]
    const begun = new Set<string>()
    while (waiting.length > 0) {
      const name = waiting.at(-1)!
      const node = this.#nodes.get(name)
      if (node === undefined) throw new BadModelFileError(this.#path, `its node "${waiting.at(-2) ?? ''}" has an input "${name}" that is not there`)
      const missing = this.#operations.has(name) ? [] : node.input.map(sourceOf).filter(source => !this.#operations.has(source))
      if (missing.length === 0) {
        if (!this.#operations.has(name)) this.#operations.set(name, this.#operation(node))
        waiting.pop()
        continue
      }
      if (begun.has(name)) throw new CannotImportError(this.#path, `its node "${name}" of type ${node.op} is part of a loop`)
      begun.add(name)
      waiting.push(...missing.filter(source => !begun.has(source) || this.#isLoop(source)))
    }
  }

  #isLoop (name: string): never {
    throw new CannotImportError(this.#path, `its node "${name}" of type ${this.#nodes.get(name)!.op} is part of a loop`)
  }

  #operation (node: GraphNode): Operation {
    const { name, op, input, attr } = node
    if (op === 'Const') return this.#constant(node)
    const definition = opDef(op)
    if (definition === undefined) throw new CannotImportError(`${this.#path}: node "${name}" of type ${op}`, 'TensorFlow has no such operation')
    const data = input.filter(source => !source.startsWith('^')).map(source => this.#output(source))
    const controlInputs = input.filter(source => source.startsWith('^')).map(source => this.#operations.get(sourceOf(source))!)
    // Types and numbers of inputs are seen in the inputs.
    const seen = new Set(definition.inputArg.flatMap(({ typeAttr, numberAttr, typeListAttr }) => [typeAttr, numberAttr, typeListAttr]))
    const kinds = new Map(definition.attr.map(({ name, type }) => [name, type]))
    try {
      const attributes: Attributes = Object.fromEntries(Object.entries(attr).filter(([key]) => kinds.has(key) && !seen.has(key)).map(([key, value]) => [key, this.#attribute(node, key, kinds.get(key)!, value)]))
      return this.#graph.op(op, grouped(definition.inputArg, data, attr), attributes, { name, controlInputs })
    } catch (error) {
      if (error instanceof TensorFlowError || error instanceof TypeError) throw new BadModelFileError(this.#path, `its node "${name}" of type ${op}: ${error.message}`)
      throw error
    }
  }

  #constant ({ name }: GraphNode): Operation {
    const weight = this.#weights.get(name)
    if (weight === undefined) throw new BadModelFileError(this.#path, `the value of its constant "${name}" is not there`)
    return this.#graph.constant(weight, name).operation
  }

  #output (reference: string): Output {
    const operation = this.#operations.get(sourceOf(reference))
    if (operation === undefined) throw new BadModelFileError(this.#path, `its signature names "${reference}", which is not there`)
    return operation.output(Number(/:(\d+)$/.exec(reference)?.[1] ?? 0))
  }

  #attribute (node: GraphNode, key: string, kind: string, value: JsonObject): AttributeValue {
    const read = ATTRIBUTES[kind]
    if (read === undefined) throw new CannotImportError(`${this.#path}: node "${node.name}" of type ${node.op}`, `its attribute ${key} is a ${kind}`)
    const list = /^list/.test(kind) ? value['list'] : undefined
    try {
      return read(list === undefined ? value : isObject(list) ? list : {})
    } catch (error) {
      throw new BadModelFileError(this.#path, `the attribute ${key} of its node "${node.name}" of type ${node.op} is no ${kind}: ${(error as Error).message}`)
    }
  }
}

function checkedNode (path: string, node: unknown): GraphNode {
  const { name, op, input = [], attr = {} } = isObject(node) ? node : {}
  if (typeof name !== 'string' || typeof op !== 'string' || !Array.isArray(input) || !input.every(source => typeof source === 'string') || !isObject(attr) || !Object.values(attr).every(isObject)) {
    throw new BadModelFileError(path, 'a node of its graph is no node of TensorFlow')
  }
  return { name, op, input, attr: attr as GraphNode['attr'] }
}

function sourceOf (reference: string): string {
  return reference.replace(/^\^/, '').replace(/:\d+$/, '')
}

interface InputArgument { readonly numberAttr: string, readonly typeListAttr: string }

/** Inputs one after another, as the definition groups them. */
function grouped (args: readonly InputArgument[], inputs: readonly Output[], attr: GraphNode['attr']): OperationInput[] {
  let at = 0
  return args.map(({ numberAttr, typeListAttr }) => {
    if (numberAttr === '' && typeListAttr === '') return inputs[at++]!
    const list = typeListAttr === '' ? undefined : attr[typeListAttr]?.['list']
    const types = isObject(list) && Array.isArray(list['type']) ? list['type'].length : 0
    const count = numberAttr === '' ? types : Number(attr[numberAttr]?.['i'] ?? 0)
    at += count
    return inputs.slice(at - count, at)
  })
}

/** As protobuf's JSON has them: whole numbers as texts, bytes in base 64. @see tensorflow/core/framework/attr_value.proto */
const ATTRIBUTES: Readonly<Record<string, (value: JsonObject) => AttributeValue>> = {
  int: ({ i }) => BigInt(i as string | number),
  float: ({ f }) => Number(f ?? 0),
  bool: ({ b }) => b === true,
  string: ({ s }) => Buffer.from(textOf(s), 'base64'),
  type: ({ type }) => dtypeOf(type),
  shape: ({ shape }) => shapeOf(shape),
  'list(int)': ({ i = [] }) => (i as (string | number)[]).map(BigInt),
  'list(float)': ({ f = [] }) => (f as number[]).map(Number),
  'list(bool)': ({ b = [] }) => b as boolean[],
  'list(string)': ({ s = [] }) => (s as string[]).map(text => Buffer.from(text, 'base64').toString()),
  'list(type)': ({ type = [] }) => (type as unknown[]).map(dtypeOf),
  'list(shape)': ({ shape = [] }) => (shape as unknown[]).map(shapeOf)
}

function textOf (value: unknown): string {
  return typeof value === 'string' ? value : ''
}

const SHORT: Readonly<Record<string, DType | undefined>> = { float: 'float32', double: 'float64', half: 'float16' }

/** `DT_FLOAT`, or its number. */
function dtypeOf (type: unknown): DType {
  if (typeof type === 'number') return dtypeFromCode(type) ?? refuseType(type)
  const name = textOf(type).replace(/^DT_/, '').toLowerCase()
  return SHORT[name] ?? name as DType
}

function refuseType (code: number): never {
  throw new TypeError(`TensorFlow has no type of number ${code}`)
}

function shapeOf (shape: unknown): readonly number[] | null {
  if (!isObject(shape) || shape['unknownRank'] === true) return null
  const { dim = [] } = shape
  return (dim as JsonObject[]).map(({ size }) => Number(size ?? 0))
}

function valueOf (weight: tf.Tensor): TensorValue {
  const data = weight.dataSync()
  if (weight.dtype === 'bool') return { dtype: 'bool', shape: weight.shape, data: Uint8Array.from(data) }
  return { dtype: weight.dtype === 'int32' ? 'int32' : 'float32', shape: weight.shape, data: data as Float32Array | Int32Array }
}
