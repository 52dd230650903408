import { embeddingStepsFirst } from '../embedding.ts'
import type { LayerCall, Lowering } from '../layer-call.ts'
import type { Scanned } from '../scan.ts'
import { range, rankOf } from '../scope.ts'
import { LoweringError } from '../../../errors.ts'
import type { Operation, Output } from '../../../tensorflow/index.ts'
import type { Cell, MakeCell } from './cell.ts'
import { cells } from './cells.ts'
import { makeConvLstmCell } from './conv-lstm.ts'
import { fusedLstm } from './fused-lstm.ts'
import { runCell, type RunOptions } from './run-cell.ts'
import { makeStackedCells } from './stacked-cells.ts'
import { givesZerosForMask } from './zero-outputs.ts'

type Run = (call: LayerCall, cell: Cell, options: RunOptions) => Scanned

/** The whole layer: steps first, backwards if it goes backwards, on from the states that it was given or keeps. */
function lowerRecurrent (call: LayerCall, makeCell: MakeCell, run: Run = runStepwise): readonly Output[] {
  const { scope, input, isTraining } = call
  const x = stepsFirst(call, input)
  const [, rows, ...features] = scope.dimensions(x)
  const cell = makeCell(call, [rows!, ...features])
  const first = firstStates(call, cell)
  const mask = call.masks[0] === undefined ? undefined : stepsFirst(call, call.masks[0])
  const { outputs, states } = run(call, cell, { x, states: first.map(({ value }) => value), mask, isTraining })
  return afterKeeping(call, results(call, { outputs: withZeros(call, outputs, mask), states }), first.flatMap(({ keep }, index) => keep === undefined ? [] : [keep(states[index]!)]))
}

const runStepwise: Run = ({ scope }, cell, options) => runCell(scope, cell, options)

/** In one kernel where TensorFlow's does what the layer says. */
const runLstm: Run = (call, cell, options) => {
  const { config, scope } = call
  const isFused = config.text('activation') === 'tanh' && config.text('recurrentActivation') === 'sigmoid' &&
    options.mask === undefined && cell.stepping.masks['recurrentDropout'] === undefined
  return isFused ? fusedLstm(scope, cell, { ...options, units: config.number('units') }) : runCell(scope, cell, options)
}

/** [steps, rows, …], backwards where the layer goes backwards. */
function stepsFirst ({ config, scope }: LayerCall, x: Output): Output {
  const turned = embeddingStepsFirst(scope, x) ?? scope.transpose(x, [1, 0, ...range(rankOf(x)).slice(2)])
  return config.flag('goBackwards') ? scope.op('ReverseV2', [turned, scope.ints([0])]) : turned
}

interface FirstState { value: Output, keep?: (next: Output) => Operation }

/** Those that the layer was called with, else those that the batch before left in a stateful layer, else zeros. */
function firstStates ({ config, inputs, kept, layer, scope }: LayerCall, { stateShapes }: Cell): FirstState[] {
  if (inputs.length > 1) return inputs.slice(1).map(value => ({ value }))
  if (!layer.stateful) return stateShapes.map(shape => ({ value: scope.zeros(shape) }))
  return stateShapes.map((shape, index) => {
    const sides = shape.filter(side => typeof side === 'number')
    if (sides.length < shape.length) config.refuse('stateful', 'give the model a fixed batch size with batchInputShape or batchShape')
    return kept(`state_${index}`, sides)
  })
}

/** @param outputs,mask [steps, rows, …] */
function withZeros ({ layer, scope }: LayerCall, outputs: Output, mask: Output | undefined): Output {
  if (mask === undefined || !givesZerosForMask(layer)) return outputs
  const counts = range(rankOf(outputs)).slice(2).reduce((x, axis) => scope.expandDims(x, axis), mask)
  return scope.op('SelectV2', [counts, outputs, scope.number(0)])
}

function results ({ config, scope }: LayerCall, { outputs, states }: Scanned): readonly Output[] {
  const output = config.flag('returnSequences') ? scope.transpose(outputs, [1, 0, ...range(rankOf(outputs)).slice(2)]) : states[0]!
  return config.flag('returnState') ? [output, ...states] : [output]
}

/** Whoever runs the layer keeps its states. */
function afterKeeping ({ scope }: LayerCall, outputs: readonly Output[], kept: readonly Operation[]): readonly Output[] {
  return kept.length === 0 ? outputs : outputs.map(output => scope.operation('Identity', [output], {}, kept).output(0))
}

/** Each output step counts where its input step does; states do not have steps. */
function masks ({ config, masks: [mask] }: LayerCall): (Output | undefined)[] {
  return [config.flag('returnSequences') ? mask : undefined]
}

const makeCell: MakeCell = (call, inputShape) => {
  const className = call.layer.getClassName()
  const make = className === 'StackedRNNCells' ? makeStackedCells(makeCell) : cells[className]
  if (make === undefined) throw new LoweringError(call.layer.name, `there is no lowering for a cell of class ${className}; use ${Object.keys(cells).join(', ')} or StackedRNNCells`)
  return make(call, inputShape)
}

/** A layer made of any cell. */
function lowerRnn (call: LayerCall): readonly Output[] {
  const { cell } = call.layer as unknown as { cell: LayerCall['layer'] }
  return lowerRecurrent(call, (_, inputShape) => makeCell(call.as(cell), inputShape))
}

export const recurrentLayers: Record<string, Lowering> = {
  SimpleRNN: { lower: call => lowerRecurrent(call, cells['SimpleRNNCell']!), masks },
  GRU: { lower: call => lowerRecurrent(call, cells['GRUCell']!), masks },
  ResetAfterGRU: { lower: call => lowerRecurrent(call, cells['ResetAfterGRUCell']!), masks },
  LSTM: { lower: call => lowerRecurrent(call, cells['LSTMCell']!, runLstm), masks },
  ConvLSTM2D: { lower: call => lowerRecurrent(call, makeConvLstmCell), masks },
  RNN: { lower: lowerRnn, masks }
}
