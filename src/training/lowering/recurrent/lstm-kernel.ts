import type { Output } from '../../../tensorflow/index.ts'
import type { Scope } from '../scope.ts'

export interface LstmInputs {
  /** [steps, rows, inputs] */
  readonly x: Output
  /** Output and cell before the first step, [rows, units]. */
  readonly h0: Output
  readonly c0: Output
}

/** Gates side by side: input, forget, candidate, output. */
export interface LstmWeights {
  /** [inputs + units, 4 · units]: those of the inputs above those of the state. */
  readonly kernel: Output
  readonly bias: Output
  readonly units: number
}

/** What `BlockLSTMV2` was given and what it gave after each step, [steps, rows, units]. */
export interface LstmRun extends LstmInputs {
  readonly i: Output
  readonly c: Output
  readonly f: Output
  readonly o: Output
  /** The candidate. */
  readonly ci: Output
  /** tanh of the cell. */
  readonly co: Output
  readonly h: Output
}

/** Gradients that come in at an LSTM. */
export interface LstmIncoming {
  /** At the output of each step, [steps, rows, units]; undefined where only the states are used. */
  readonly dOutputs: Output | undefined
  /** At the states after the last step. */
  readonly dh: Output
  readonly dc: Output
}

/** Gradients that go on from an LSTM. */
export interface LstmGradients {
  readonly dx: Output
  readonly dh0: Output
  readonly dc0: Output
  readonly dKernel: Output
  readonly dBias: Output
}

/**
 * All steps of an LSTM in TensorFlow's one kernel, which knows sigmoid gates and tanh only.
 *
 * @see https://www.tensorflow.org/api_docs/python/tf/raw_ops/BlockLSTMV2
 */
export function runKernel (scope: Scope, inputs: LstmInputs, weights: LstmWeights): LstmRun {
  const lstm = scope.operation('BlockLSTMV2', kernelInputs(scope, inputs, weights), { cell_clip: 0 })
  const [i, c, f, o, ci, co, h] = [0, 1, 2, 3, 4, 5, 6].map(index => lstm.output(index)) as [Output, Output, Output, Output, Output, Output, Output]
  return { ...inputs, i, c, f, o, ci, co, h }
}

/** All steps back in one kernel too, which does all products of a step before it goes on to the step before. */
export function kernelGradient (scope: Scope, run: LstmRun, weights: LstmWeights, { dOutputs, dh, dc }: LstmIncoming): LstmGradients {
  const { i, c, f, o, ci, co, h } = run
  const dLast = atLastStep(scope, run, dh)
  const dhs = dOutputs === undefined ? dLast : scope.add(dOutputs, dLast)
  const gradient = scope.operation('BlockLSTMGradV2', [...kernelInputs(scope, run, weights), i, c, f, o, ci, co, h, atLastStep(scope, run, dc), dhs], { use_peephole: false })
  const [dx, dc0, dh0, dKernel, dBias] = [0, 1, 2, 3, 7].map(index => gradient.output(index)) as [Output, Output, Output, Output, Output]
  return { dx, dh0, dc0, dKernel: zerosWithoutRows(scope, run, dKernel), dBias }
}

/** Where a part of a batch has no rows, TensorFlow leaves in the kernel's gradient whatever the memory held before. */
function zerosWithoutRows (scope: Scope, { h0 }: LstmInputs, dKernel: Output): Output {
  const hasRows = scope.op('Greater', [scope.side(h0, 0), scope.int(0)])
  return scope.op('SelectV2', [hasRows, dKernel, scope.number(0)])
}

function kernelInputs (scope: Scope, { x, h0, c0 }: LstmInputs, { kernel, bias, units }: LstmWeights): Output[] {
  const peephole = scope.zeros([units])
  return [scope.cast(scope.side(x, 0), 'int64'), x, c0, h0, kernel, peephole, peephole, peephole, bias]
}

/** [rows, units] after zeros for all steps before. */
function atLastStep (scope: Scope, { x }: LstmInputs, last: Output): Output {
  const before = scope.sub(scope.side(x, 0), scope.int(1))
  const paddings = scope.reshape(scope.shape([before, 0, 0, 0, 0, 0]), [3, 2])
  return scope.op('Pad', [scope.expandDims(last, 0), paddings])
}
