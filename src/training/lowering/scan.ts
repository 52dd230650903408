import { gradients, withGradient } from '../gradients.ts'
import type { Output } from '../../tensorflow/index.ts'
import { elementLike, emptyList, listItem, listOfSlices, loop, sliceOf, stackList, withItem } from './loop.ts'
import type { Scope } from './scope.ts'

/** What one step of a loop is given. */
export interface StepInputs {
  /** Where the step's operations go: a graph of its own, so everything that it uses has to come in here. */
  readonly scope: Scope
  /** Of each sequence the slice of this step. */
  readonly slices: readonly Output[]
  readonly states: readonly Output[]
  readonly weights: readonly Output[]
  readonly constants: readonly Output[]
}

/** @returns the next states, of the shapes of the present ones */
export type Step = (inputs: StepInputs) => readonly Output[]

export interface ScanOptions {
  /** [steps, …] each, one at least. Gradients go on to those of float32. */
  readonly sequences: readonly Output[]
  /** Before the first step. */
  readonly states: readonly Output[]
  /** The same at every step; gradients go on to them. */
  readonly weights: readonly Output[]
  /** The same at every step; no gradients go on to them. */
  readonly constants?: readonly Output[]
  /** Keeps what its gradient wants. */
  readonly isTraining: boolean
}

/** What comes out of a loop. */
export interface Scanned {
  /** The first state after each step, [steps, …]. */
  readonly outputs: Output
  /** After the last step. */
  readonly states: readonly Output[]
}

/**
 * Runs a step over sequences as a loop of TensorFlow: any number of steps, a graph of one. Its gradient is a loop that goes back and does each
 * step once more, with TensorFlow's gradients of it; only the states are kept in between.
 */
export function scan (scope: Scope, step: Step, { sequences, states, weights, constants = [], isTraining }: ScanOptions): Scanned {
  const count = scope.side(sequences[0]!, 0)
  const lists = sequences.map(sequence => listOfSlices(scope, sequence))
  const fresh = (state: Output): Output => emptyList(scope, elementLike(state), count)
  const start = {
    index: [scope.int(0)], states, after: [fresh(states[0]!)], before: isTraining ? states.map(fresh) : [], count: [count], lists, weights, constants
  }
  const end = loop(scope, 'steps', start, {
    condition: (inner, { index, count }) => inner.op('Less', [index[0]!, count[0]!]),
    body: (inner, { index: [index], states, after: [after], before, lists, weights, constants }) => {
      const slices = lists.map((list, at) => listItem(inner, list, index!, sliceOf(sequences[at]!)))
      const next = step({ scope: inner, slices, states, weights, constants })
      return {
        index: [inner.add(index!, inner.int(1))],
        states: next,
        after: [withItem(inner, after!, index!, next[0]!)],
        before: before.map((list, at) => withItem(inner, list, index!, states[at]!))
      }
    }
  })
  const outputs = stackList(scope, end.after[0]!, elementLike(states[0]!))
  if (!isTraining) return { outputs, states: end.states }
  const inputs = [...sequences.filter(isFloat), ...states, ...weights]
  const [sealed, ...last] = withGradient(scope, inputs, [outputs, ...end.states], ([dOutputs, ...dLast]) =>
    scanBack(scope, step, { sequences, states, weights, constants, count, lists, before: end.before, dOutputs, dLast }))
  return { outputs: sealed!, states: last }
}

interface BackOptions {
  readonly sequences: readonly Output[]
  readonly states: readonly Output[]
  readonly weights: readonly Output[]
  readonly constants: readonly Output[]
  /** int32 scalar: steps. */
  readonly count: Output
  /** The sequences as lists. */
  readonly lists: readonly Output[]
  /** The states before each step, as lists. */
  readonly before: readonly Output[]
  readonly dOutputs: Output | undefined
  readonly dLast: readonly (Output | undefined)[]
}

/** @returns gradients of the float sequences, of the first states and of the weights */
function scanBack (scope: Scope, step: Step, { sequences, states, weights, constants, count, lists, before, dOutputs, dLast }: BackOptions): Output[] {
  const floats = sequences.filter(isFloat)
  const zeros = (graph: Scope, x: Output): Output => graph.op('ZerosLike', [x])
  const start = {
    index: [scope.sub(count, scope.int(1))],
    dStates: states.map((state, at) => dLast[at] ?? zeros(scope, state)),
    dSlices: floats.map(sequence => emptyList(scope, sliceOf(sequence), count)),
    dWeights: weights.map(weight => zeros(scope, weight)),
    dOutputs: dOutputs === undefined ? [] : [listOfSlices(scope, dOutputs)],
    lists,
    before,
    weights,
    constants
  }
  const end = loop(scope, 'steps_back', start, {
    condition: (inner, { index }) => inner.op('GreaterEqual', [index[0]!, inner.int(0)]),
    body: (inner, { index: [index], dStates, dSlices, dWeights, dOutputs: [dOutputs], lists, before, weights, constants }) => {
      const slices = lists.map((list, at) => listItem(inner, list, index!, sliceOf(sequences[at]!)))
      const present = before.map((list, at) => listItem(inner, list, index!, elementLike(states[at]!)))
      const next = step({ scope: inner, slices, states: present, weights, constants })
      const [dFirst, ...dOthers] = dStates
      const dNext = dOutputs === undefined ? dStates : [inner.add(dFirst!, listItem(inner, dOutputs, index!, elementLike(states[0]!))), ...dOthers]
      const find = differentiate(inner, next, dNext, [...present, ...slices.filter(isFloat), ...weights])
      return {
        index: [inner.sub(index!, inner.int(1))],
        dStates: present.map(find),
        dSlices: slices.filter(isFloat).map((slice, at) => withItem(inner, dSlices[at]!, index!, find(slice))),
        dWeights: weights.map((weight, at) => inner.add(dWeights[at]!, find(weight)))
      }
    }
  })
  return [...end.dSlices.map((list, at) => stackList(scope, list, sliceOf(floats[at]!))), ...end.dStates, ...end.dWeights]
}

/** @returns gives the gradient of each x, zeros where nothing depends on it */
function differentiate (scope: Scope, ys: readonly Output[], dys: readonly Output[], xs: readonly Output[]): (x: Output) => Output {
  const found = gradients(scope.graph, ys, xs, dys)
  return x => found[xs.indexOf(x)] ?? scope.op('ZerosLike', [x])
}

function isFloat ({ dtype }: Output): boolean {
  return dtype === 'float32'
}
