import { withGradient } from '../../gradients.ts'
import { hasCustomOperations, type Output } from '../../../tensorflow/index.ts'
import type { Scanned } from '../scan.ts'
import type { Scope } from '../scope.ts'
import type { Cell } from './cell.ts'
import { kernelGradient, runKernel, type LstmGradients, type LstmIncoming, type LstmInputs, type LstmRun, type LstmWeights } from './lstm-kernel.ts'
import { runSteps, stepsGradient } from './lstm-steps.ts'
import { canWalk, walkBack, type WalkedRun } from './lstm-walk.ts'
import type { RunOptions } from './run-cell.ts'

/**
 * Halves of a batch run side by side while training: the kernels spread the small products of one step over threads from some 33 rows on,
 * which costs more than it gains. A step of 64 rows takes 31 ms in halves and 50 ms whole (LSTM of 64, 200 steps, 2 cores).
 */
const PARTS = 2

/** All steps of an LSTM with sigmoid gates and tanh by TensorFlow's kernel; while training by tensorport's own, where there is one. */
export function fusedLstm (scope: Scope, { projecting, stepping }: Cell, { x: given, states, units, isTraining }: RunOptions & { units: number }): Scanned {
  const [h0, c0] = states as [Output, Output]
  const { kernel, bias = scope.zeros([4 * units]) } = projecting.weights
  const { dropout } = projecting.masks
  const x = dropout === undefined ? given : scope.mul(given, dropout)
  const weights = { kernel: scope.op('ConcatV2', [[kernel!, stepping.weights['recurrentKernel']!], scope.int(0)]), bias, units }
  if (isTraining) return hasCustomOperations() ? runInSteps(scope, { x, h0, c0 }, weights) : runInParts(scope, { x, h0, c0 }, weights)
  const run = runKernel(scope, { x, h0, c0 }, weights)
  return { outputs: run.h, states: lastStates(scope, run) }
}

function runInSteps (scope: Scope, inputs: LstmInputs, weights: LstmWeights): Scanned {
  const run = runSteps(scope, inputs, weights)
  return withOwnGradient(scope, inputs, weights, [run.h, ...lastStates(scope, run)], incoming => stepsGradient(scope, run, weights, incoming))
}

function runInParts (scope: Scope, inputs: LstmInputs, weights: LstmWeights): Scanned {
  const parts = splitInputs(scope, inputs).map(part => runKernel(scope, part, weights))
  const run = { ...inputs, parts, h: joined(scope, parts.map(({ h }) => h), 1) }
  const last = parts.map(part => lastStates(scope, part))
  const states = [0, 1].map(index => joined(scope, last.map(part => part[index]!), 0))
  return withOwnGradient(scope, inputs, weights, [run.h, ...states], all => {
    const incoming = splitIncoming(scope, all)
    return canWalk(inputs.x) ? walkBack(scope, run, weights, incoming) : goBack(scope, run, weights, incoming)
  })
}

/** @param given the outputs of all steps, and output and cell after the last one */
function withOwnGradient (scope: Scope, { x, h0, c0 }: LstmInputs, { kernel, bias }: LstmWeights, given: readonly Output[], backward: (incoming: LstmIncoming) => LstmGradients): Scanned {
  const [outputs, ...states] = withGradient(scope, [x, h0, c0, kernel, bias], given, ([dOutputs, dh, dc]) => {
    const [, h, c] = given as [Output, Output, Output]
    const { dx, dh0, dc0, dKernel, dBias } = backward({ dOutputs, dh: dh ?? scope.op('ZerosLike', [h]), dc: dc ?? scope.op('ZerosLike', [c]) })
    return [dx, dh0, dc0, dKernel, dBias]
  })
  return { outputs: outputs!, states }
}

/** By the kernel's own gradient, for each part. */
function goBack (scope: Scope, { parts }: WalkedRun, weights: LstmWeights, incoming: readonly LstmIncoming[]): LstmGradients {
  const gradients = parts.map((part, index) => kernelGradient(scope, part, weights, incoming[index]!))
  const all = (of: keyof LstmGradients): Output[] => gradients.map(gradient => gradient[of])
  return {
    dx: joined(scope, all('dx'), 1),
    dh0: joined(scope, all('dh0'), 0),
    dc0: joined(scope, all('dc0'), 0),
    dKernel: scope.op('AddN', [all('dKernel')]),
    dBias: scope.op('AddN', [all('dBias')])
  }
}

function splitInputs (scope: Scope, { x, h0, c0 }: LstmInputs): LstmInputs[] {
  const [xs, hs, cs] = [splitRows(scope, x, 1), splitRows(scope, h0, 0), splitRows(scope, c0, 0)]
  return xs.map((part, index) => ({ x: part, h0: hs[index]!, c0: cs[index]! }))
}

function splitIncoming (scope: Scope, { dOutputs, dh, dc }: LstmIncoming): LstmIncoming[] {
  const [outputs, hs, cs] = [dOutputs && splitRows(scope, dOutputs, 1), splitRows(scope, dh, 0), splitRows(scope, dc, 0)]
  return hs.map((part, index) => ({ dOutputs: outputs?.[index], dh: part, dc: cs[index]! }))
}

/** Into parts of nearly the same number of rows; of one row, one part has none. */
function splitRows (scope: Scope, x: Output, axis: number): Output[] {
  const rows = scope.side(x, axis)
  const half = scope.op('FloorDiv', [rows, scope.int(PARTS)])
  const sizes = scope.op('Pack', [[scope.sub(rows, half), half]])
  const split = scope.operation('SplitV', [x, sizes, scope.int(axis)], { num_split: PARTS })
  return Array.from({ length: PARTS }, (_, index) => split.output(index))
}

/** Output and cell after the last step, [rows, units]. */
function lastStates (scope: Scope, { h, c }: Pick<LstmRun, 'h' | 'c'>): Output[] {
  return [h, c].map(all => scope.op('StridedSlice', [all, scope.ints([-1]), scope.ints([0]), scope.ints([1])], { shrink_axis_mask: 1, end_mask: 1 }))
}

function joined (scope: Scope, parts: readonly Output[], axis: number): Output {
  return scope.op('ConcatV2', [parts, scope.int(axis)])
}
