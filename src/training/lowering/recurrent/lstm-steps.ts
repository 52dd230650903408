import type { Output } from '../../../tensorflow/index.ts'
import { shapeOf, type Dimension, type Scope } from '../scope.ts'
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
 * All steps of an LSTM with sigmoid gates and tanh by tensorport's own operation (src/tensorflow/kernels), for graphs that are not written to
 * a file. The product of the inputs waits for no step and is one over all of them; the rest is walked row by row, each processor with its share.
 */
export function runSteps (scope: Scope, inputs: LstmInputs, weights: LstmWeights): SteppedRun {
  const [ofInputs, ofState] = splitKernel(scope, weights)
  const [steps, rows] = scope.dimensions(inputs.x)
  const sums = scope.reshape(scope.op('MatMul', [flat(scope, inputs.x), ofInputs]), [steps!, rows!, 4 * weights.units])
  const lstm = scope.operation('TensorportLstm', [sums, inputs.h0, inputs.c0, ofState, weights.bias])
  return { ...inputs, gates: lstm.output(0), c: lstm.output(1), h: lstm.output(2) }
}

/** One walk back for what each step hands to the one before it; the gradients of inputs and weights are then one product each over all steps. */
export function stepsGradient (scope: Scope, { x, h0, c0, gates, c, h }: SteppedRun, weights: LstmWeights, { dOutputs, dh, dc }: LstmIncoming): LstmGradients {
  const [ofInputs, ofState] = splitKernel(scope, weights)
  const walk = scope.operation('TensorportLstmGrad', [gates, c, c0, ofState, dOutputs ?? scope.zeros([0]), dh, dc])
  const [dSums, dh0, dc0] = [walk.output(0), walk.output(1), walk.output(2)]
  const product = (of: Output, sums: Output): Output => scope.float(scope.op('MatMul', [flat(scope, of), flat(scope, sums)], { transpose_a: true }))
  const before = stepsFrom(scope, h, 0, scope.sub(scope.side(h, 0), scope.int(1)))
  const dOfState = scope.add(product(h0, stepsFrom(scope, dSums, 0, 1)), product(before, stepsFrom(scope, dSums, 1, -1)))
  return {
    dx: scope.reshape(scope.op('MatMul', [flat(scope, dSums), ofInputs], { transpose_b: true }), scope.dimensions(x)),
    dh0,
    dc0,
    dKernel: scope.op('ConcatV2', [[product(x, dSums), dOfState], scope.int(0)]),
    dBias: scope.op('BiasAddGrad', [flat(scope, dSums)])
  }
}

/** Weights of the inputs and of the state. */
function splitKernel (scope: Scope, { kernel, units }: LstmWeights): [Output, Output] {
  const split = scope.operation('SplitV', [kernel, scope.ints([shapeOf(kernel)[0]! - units, units]), scope.int(0)], { num_split: 2 })
  return [split.output(0), split.output(1)]
}

/** Some of the steps of [steps, rows, …]. @param count −1: all that are left */
function stepsFrom (scope: Scope, x: Output, first: number, count: Dimension): Output {
  return scope.op('Slice', [x, scope.ints([first, 0, 0]), scope.shape([count, -1, shapeOf(x).at(-1)!])])
}

/** [steps, rows, n] as [steps · rows, n]. */
function flat (scope: Scope, x: Output): Output {
  return scope.reshape(x, [-1, shapeOf(x).at(-1)!])
}
