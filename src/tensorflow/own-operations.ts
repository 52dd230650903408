import { FLOAT32 } from './attribute-values.ts'
import type { GraphRewrite } from './graph-rewrite.ts'
import type { NodeDef } from './proto/tensorflow_pb.js'

/** Places of the outputs cs and h, and their names in functions. */
const STATES = new Set(['1', '6', 'cs', 'h'])

/**
 * Puts tensorport's own operations (kernels/) in the place of TensorFlow's, where they do the same in less time: all steps of an LSTM of which only the
 * states are used. For graphs that stay in this process, and that may hold such operations.
 */
export function useOwnOperations (scope: GraphRewrite): void {
  for (const node of scope.nodes) {
    if (isPlainLstm(node) && scope.placesUsed(node).every(place => STATES.has(place))) scope.replace(node, 'TensorportBlockLstm', node.input, {})
  }
}

/** Without peepholes and clipping. */
function isPlainLstm ({ op, attr }: NodeDef): boolean {
  return op === 'BlockLSTMV2' && attr['T']?.type === FLOAT32 && (attr['cell_clip']?.f ?? 0) <= 0 && attr['use_peephole']?.b !== true
}
