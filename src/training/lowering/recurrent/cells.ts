import { activationOf } from '../activation-functions.ts'
import { multiplyLastAxis } from '../dense.ts'
import { isActive, keepOrDrop } from '../dropout.ts'
import type { LayerCall } from '../layer-call.ts'
import type { Dimension, Scope } from '../scope.ts'
import type { Output } from '../../../tensorflow/index.ts'
import type { Cell, MakeCell, Parts } from './cell.ts'

type DenseHalf = Pick<Cell, 'stateShapes' | 'projecting' | 'project' | 'stepping'>

/** x·W + b for all gates at once, and the dropout of what comes in and of the state. */
function denseHalf (call: LayerCall, inputShape: readonly Dimension[]): DenseHalf {
  const { config, weight } = call
  const stateShape = [inputShape[0]!, config.number('units')]
  return {
    stateShapes: [stateShape],
    projecting: {
      weights: { kernel: weight('kernel'), ...(config.flag('useBias') && { bias: weight('bias') }) },
      masks: dropoutMask(call, 'dropout', inputShape)
    },
    stepping: { weights: { recurrentKernel: weight('recurrent_kernel') }, masks: dropoutMask(call, 'recurrentDropout', stateShape) },
    project: (scope, x, { kernel, bias, dropout }) => {
      const product = multiplyLastAxis(scope, dropout === undefined ? x : scope.mul(x, dropout), kernel!)
      return bias === undefined ? product : scope.op('BiasAdd', [product, bias])
    }
  }
}

/** The same elements are dropped at every step. */
export function dropoutMask (call: LayerCall, option: 'dropout' | 'recurrentDropout', shape: readonly Dimension[]): Parts {
  const rate = call.config.number(option, 0)
  return isActive(call, rate) ? { [option]: keepOrDrop(call, rate, shape) } : {}
}

function dropState (scope: Scope, h: Output, { recurrentDropout }: Parts): Output {
  return recurrentDropout === undefined ? h : scope.mul(h, recurrentDropout)
}

/** h' = activation(x·W + b + h·U) */
const makeSimpleCell: MakeCell = (call, inputShape) => {
  const activation = activationOf(call.config, 'activation')
  return {
    ...denseHalf(call, inputShape),
    step: (scope, projected, [h], parts) => [activation(scope, scope.add(projected, scope.op('MatMul', [dropState(scope, h!, parts), parts['recurrentKernel']!])))]
  }
}

/** Gates side by side: update, reset, candidate. The reset goes before the product: `tf.layers` has no other form. */
const makeGruCell: MakeCell = (call, inputShape) => {
  const activation = activationOf(call.config, 'activation')
  const gate = activationOf(call.config, 'recurrentActivation')
  const units = call.config.number('units')
  const half = denseHalf(call, inputShape)
  const [gateKernel, candidateKernel] = call.scope.splitLast(half.stepping.weights['recurrentKernel']!, [2 * units, units])
  return {
    ...half,
    stepping: { ...half.stepping, weights: { gateKernel: gateKernel!, candidateKernel: candidateKernel! } },
    step: (scope, projected, [state], parts) => {
      const h = dropState(scope, state!, parts)
      const [xGates, xCandidate] = scope.splitLast(projected, [2 * units, units])
      const gates = gate(scope, scope.add(xGates!, scope.op('MatMul', [h, parts['gateKernel']!])))
      const [z, r] = scope.splitLast(gates, [units, units])
      const candidate = activation(scope, scope.add(xCandidate!, scope.op('MatMul', [scope.mul(r!, h), parts['candidateKernel']!])))
      return [scope.add(scope.mul(z!, h), scope.mul(scope.sub(1, z!), candidate))]
    }
  }
}

/** As the GRU cell, but the reset goes after the product, and the state's products have biases of their own. */
const makeResetAfterGruCell: MakeCell = (call, inputShape) => {
  const activation = activationOf(call.config, 'activation')
  const gate = activationOf(call.config, 'recurrentActivation')
  const units = call.config.number('units')
  const half = denseHalf(call, inputShape)
  const { bias, ...weights } = half.projecting.weights
  const biases = bias === undefined ? undefined : call.scope.operation('Unpack', [bias], { num: 2 })
  return {
    ...half,
    projecting: { ...half.projecting, weights: { ...weights, ...(biases !== undefined && { bias: biases.output(0) }) } },
    stepping: { ...half.stepping, weights: { ...half.stepping.weights, ...(biases !== undefined && { recurrentBias: biases.output(1) }) } },
    step: (scope, projected, [state], parts) => {
      const h = dropState(scope, state!, parts)
      const product = scope.op('MatMul', [h, parts['recurrentKernel']!])
      const biased = parts['recurrentBias'] === undefined ? product : scope.op('BiasAdd', [product, parts['recurrentBias']])
      const [xGates, xCandidate] = scope.splitLast(projected, [2 * units, units])
      const [hGates, hCandidate] = scope.splitLast(biased, [2 * units, units])
      const [z, r] = scope.splitLast(gate(scope, scope.add(xGates!, hGates!)), [units, units])
      const candidate = activation(scope, scope.add(xCandidate!, scope.mul(r!, hCandidate!)))
      return [scope.add(scope.mul(z!, h), scope.mul(scope.sub(1, z!), candidate))]
    }
  }
}

/** Gates side by side: input, forget, cell, output. */
const makeLstmCell: MakeCell = (call, inputShape) => {
  const half = denseHalf(call, inputShape)
  const update = lstmUpdate(call, call.config.number('units'))
  return {
    ...half,
    stateShapes: [half.stateShapes[0]!, half.stateShapes[0]!],
    step: (scope, projected, [h, c], parts) =>
      update(scope, scope.add(projected, scope.op('MatMul', [dropState(scope, h!, parts), parts['recurrentKernel']!])), c!)
  }
}

/** What an LSTM does with the sums of its gates, [rows, …, 4 · units], and the cell before it. @returns output and cell */
export function lstmUpdate ({ config }: LayerCall, units: number): (scope: Scope, sums: Output, before: Output) => [h: Output, c: Output] {
  const activation = activationOf(config, 'activation')
  const gate = activationOf(config, 'recurrentActivation')
  return (scope, sums, before) => {
    const [i, f, candidate, o] = scope.splitLast(sums, [units, units, units, units])
    const c = scope.add(scope.mul(gate(scope, f!), before), scope.mul(gate(scope, i!), activation(scope, candidate!)))
    return [scope.mul(gate(scope, o!), activation(scope, c)), c]
  }
}

export const cells: Record<string, MakeCell> = {
  SimpleRNNCell: makeSimpleCell,
  GRUCell: makeGruCell,
  ResetAfterGRUCell: makeResetAfterGruCell,
  LSTMCell: makeLstmCell
}
