import { withGradient } from '../../gradients.ts'
import type { Output } from '../../../tensorflow/index.ts'
import type { Scanned } from '../scan.ts'
import type { Scope } from '../scope.ts'
import type { Cell } from './cell.ts'
import type { RunOptions } from './run-cell.ts'

/**
 * Halves of a batch run side by side while training: the kernel spreads the small products of one step over threads from some 33 rows on,
 * which costs more than it gains. A step of 64 rows takes 35 ms in halves and 80 ms whole (LSTM of 64, 200 steps, 2 cores).
 */
const PARTS = 2

interface LstmWeights {
  /** [inputs + units, 4 · units]: those of the inputs above those of the state. */
  readonly kernel: Output
  readonly bias: Output
  readonly units: number
}

/**
 * All steps of an LSTM in TensorFlow's one kernel, which knows sigmoid gates and tanh only; its gradient is one kernel too.
 *
 * @see https://www.tensorflow.org/api_docs/python/tf/raw_ops/BlockLSTMV2
 */
export function fusedLstm (scope: Scope, { projecting, stepping }: Cell, { x: given, states, units, isTraining }: RunOptions & { units: number }): Scanned {
  const [h0, c0] = states as [Output, Output]
  const { kernel, bias = scope.zeros([4 * units]) } = projecting.weights
  const { dropout } = projecting.masks
  const x = dropout === undefined ? given : scope.mul(given, dropout)
  const weights = { kernel: scope.op('ConcatV2', [[kernel!, stepping.weights['recurrentKernel']!], scope.int(0)]), bias, units }
  if (!isTraining) return runKernel(scope, x, [h0, c0], weights)
  const [xs, hs, cs] = [splitRows(scope, x, 1), splitRows(scope, h0, 0), splitRows(scope, c0, 0)]
  const parts = xs.map((part, index) => runKernel(scope, part, [hs[index]!, cs[index]!], weights))
  const joined = (outputs: readonly Output[], axis: number): Output => scope.op('ConcatV2', [outputs, scope.int(axis)])
  return {
    outputs: joined(parts.map(({ outputs }) => outputs), 1),
    states: [0, 1].map(index => joined(parts.map(({ states }) => states[index]!), 0))
  }
}

/** Into parts of nearly the same number of rows; of one row, one part has none. */
function splitRows (scope: Scope, x: Output, axis: number): Output[] {
  const rows = scope.side(x, axis)
  const half = scope.op('FloorDiv', [rows, scope.int(PARTS)])
  const sizes = scope.op('Pack', [[scope.sub(rows, half), half]])
  const split = scope.operation('SplitV', [x, sizes, scope.int(axis)], { num_split: PARTS })
  return Array.from({ length: PARTS }, (_, index) => split.output(index))
}

function runKernel (scope: Scope, x: Output, [h0, c0]: [Output, Output], { kernel: weights, bias, units }: LstmWeights): Scanned {
  const steps = scope.cast(scope.side(x, 0), 'int64')
  const peephole = scope.zeros([units])
  const inputs = [steps, x, c0, h0, weights, peephole, peephole, peephole, bias]
  const lstm = scope.operation('BlockLSTMV2', inputs, { cell_clip: 0 })
  const [i, c, f, o, ci, co, h] = [0, 1, 2, 3, 4, 5, 6].map(index => lstm.output(index)) as [Output, Output, Output, Output, Output, Output, Output]
  const [outputs, cells] = withGradient(scope, [x, c0, h0, weights, bias], [h, c], ([dh, dc]) => {
    const none = scope.op('ZerosLike', [h])
    const gradient = scope.operation('BlockLSTMGradV2', [...inputs, i, c, f, o, ci, co, h, dc ?? none, dh ?? none], { use_peephole: false })
    return [0, 1, 2, 3, 7].map(index => gradient.output(index))
  }) as [Output, Output]
  return { outputs, states: [outputs, cells].map(all => lastOf(scope, all)) }
}

function lastOf (scope: Scope, all: Output): Output {
  return scope.op('StridedSlice', [all, scope.ints([-1]), scope.ints([0]), scope.ints([1])], { shrink_axis_mask: 1, end_mask: 1 })
}
