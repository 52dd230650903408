import { fromBinary } from '@bufbuild/protobuf'
import { calledFunctions, inSlices } from './graph-walk.ts'
import { operationName } from './operation-name.ts'
import { FunctionDefSchema, GraphDefSchema, NodeDefSchema, type FunctionDef, type GraphDef, type NodeDef } from './proto/tensorflow_pb.js'

/** Constants' values and whatever else is not declared is left undecoded: the bytes have them. */
const DECLARED_ONLY = { readUnknownFields: false }

/** An operation of a graph or of a function's body. */
export interface Part {
  /** To be read; what is changed is decoded anew from the bytes. */
  readonly node: NodeDef
  /** The whole NodeDef message. */
  readonly bytes: Uint8Array
}

export interface FunctionParts {
  /** As in `Part`. */
  readonly definition: FunctionDef
  readonly bytes: Uint8Array
  readonly nodes: ReadonlyMap<string, Part>
}

/** What some tensors of a graph depend on, taken to pieces. */
export interface GraphParts {
  /** The whole graph's message: its versions and what is not declared. */
  readonly message: GraphDef
  /** By name, in the graph's order. */
  readonly nodes: ReadonlyMap<string, Part>
  /** By name: those called by `nodes`, and by each other. */
  readonly functions: ReadonlyMap<string, FunctionParts>
}

/** Takes a graph to pieces, letting the event loop in every few milliseconds. @param tensorNames as `probabilities:0` */
export async function takeApart (graphDef: Uint8Array, tensorNames: readonly string[]): Promise<GraphParts> {
  const message = fromBinary(GraphDefSchema, graphDef)
  const library = new Map<string, Pick<FunctionParts, 'definition' | 'bytes'>>()
  await inSlices(message.library?.function ?? [], bytes => {
    const definition = fromBinary(FunctionDefSchema, bytes, DECLARED_ONLY)
    library.set(definition.signature?.name ?? '', { definition, bytes })
  })
  const nodes = reached(await decode(message.node), tensorNames)
  const functions = new Map<string, FunctionParts>()
  const waiting = [...nodes.values()].flatMap(functionsOf)
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const known = library.get(name)
    if (known === undefined || functions.has(name)) continue
    const body = await decode(known.definition.nodeDef)
    functions.set(name, { ...known, nodes: body })
    waiting.push(...[...body.values()].flatMap(functionsOf))
  }
  return { message, nodes, functions }
}

async function decode (nodes: readonly Uint8Array[]): Promise<Map<string, Part>> {
  const parts = new Map<string, Part>()
  await inSlices(nodes, bytes => {
    const node = fromBinary(NodeDefSchema, bytes, DECLARED_ONLY)
    parts.set(node.name, { node, bytes })
  })
  return parts
}

/** What tensors depend on, in the order of `parts`. @param isGiven inputs behind which nothing counts */
export function reached (parts: ReadonlyMap<string, Part>, tensorNames: readonly string[], isGiven: (input: string) => boolean = () => false): Map<string, Part> {
  const names = new Set<string>()
  const waiting = tensorNames.map(operationName)
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (names.has(name)) continue
    names.add(name)
    waiting.push(...(parts.get(name)?.node.input ?? []).filter(input => !isGiven(input)).map(operationName))
  }
  return new Map([...parts].filter(([name]) => names.has(name)))
}

/** What an operation may call: its attributes' functions, or one that it is named after. */
function functionsOf ({ node }: Part): string[] {
  return [node.op, ...calledFunctions(node.attr)]
}
