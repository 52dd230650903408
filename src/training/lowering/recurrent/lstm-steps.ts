import type { Output } from '../../../tensorflow/index.ts'
import type { Scope } from '../scope.ts'
import type { LstmGradients, LstmIncoming, LstmInputs, LstmWeights } from './lstm-kernel.ts'

/** What `TensorportLstm` was given and what it gave after each step. */
export interface SteppedRun extends LstmInputs {
  /** Input, forget, candidate and output side by side, after their activations, [steps, rows, 4 · units]. */
  readonly gates: Output
  /** [steps, rows, units] */
  readonly c: Output
  readonly h: Output
}

/**
 * All steps of an LSTM with sigmoid gates and tanh by tensorport's own operation (src/tensorflow/kernels), for graphs that are not written to a file: each processor
 * takes its share of the rows through all steps, and what belongs to a step stays in its cache.
 */
export function runSteps (scope: Scope, inputs: LstmInputs, { kernel, bias }: LstmWeights): SteppedRun {
  const lstm = scope.operation('TensorportLstm', [inputs.x, inputs.h0, inputs.c0, kernel, bias])
  return { ...inputs, gates: lstm.output(0), c: lstm.output(1), h: lstm.output(2) }
}

export function stepsGradient (scope: Scope, { x, h0, c0, gates, c, h }: SteppedRun, { kernel }: LstmWeights, { dOutputs, dh, dc }: LstmIncoming): LstmGradients {
  const back = scope.operation('TensorportLstmGrad', [x, h0, c0, kernel, gates, c, h, dOutputs ?? scope.zeros([0]), dh, dc])
  return { dx: back.output(0), dh0: back.output(1), dc0: back.output(2), dKernel: back.output(3), dBias: back.output(4) }
}
