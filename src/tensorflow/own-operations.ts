import { fromBinary, toBinary } from '@bufbuild/protobuf'
import type { GraphParts, Part } from './graph-parts.ts'
import { NodeDefSchema, type NodeDef } from './proto/tensorflow_pb.js'

/** Places of the outputs cs and h, and their names in functions. */
const STATES = new Set(['1', '6', 'cs', 'h'])
const FLOAT32 = 1

/**
 * Puts tensorport's own operations (kernels/) in the place of TensorFlow's, where they do the same in less time: all steps of an LSTM of which only the
 * states are used. For graphs that stay in this process, and that may hold such operations.
 *
 * @param tensorNames what is taken from the graph, as `probabilities:0`
 */
export function withOwnOperations (parts: GraphParts, tensorNames: readonly string[]): GraphParts {
  const functions = [...parts.functions].map(([name, body]) => [name, { ...body, nodes: inScope(body.nodes, Object.values(body.definition.ret)) }] as const)
  return { ...parts, nodes: inScope(parts.nodes, tensorNames), functions: new Map(functions) }
}

function inScope (nodes: ReadonlyMap<string, Part>, taken: readonly string[]): ReadonlyMap<string, Part> {
  if (![...nodes.values()].some(({ node }) => isPlainLstm(node))) return nodes
  const used = [...nodes.values()].flatMap(({ node }) => node.input).concat(taken)
  const beyondStates = new Set(used.map(input => input.split(':')).flatMap(([name = '', place = '0']) => STATES.has(place) ? [] : [name]))
  return new Map([...nodes].map(([name, part]) => [name, isPlainLstm(part.node) && !beyondStates.has(name) ? asOwnLstm(part) : part]))
}

/** Without peepholes and clipping. */
function isPlainLstm ({ op, attr }: NodeDef): boolean {
  return op === 'BlockLSTMV2' && attr['T']?.type === FLOAT32 && (attr['cell_clip']?.f ?? 0) <= 0 && attr['use_peephole']?.b !== true
}

function asOwnLstm ({ bytes }: Part): Part {
  const node = fromBinary(NodeDefSchema, bytes)
  node.op = 'TensorportBlockLstm'
  node.attr = {}
  return { node, bytes: toBinary(NodeDefSchema, node) }
}
