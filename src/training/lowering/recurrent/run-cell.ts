import { scan, type Scanned, type Step } from '../scan.ts'
import type { Scope } from '../scope.ts'
import type { Output } from '../../../tensorflow/index.ts'
import type { Cell, Parts } from './cell.ts'

export interface RunOptions {
  /** [steps, rows, …] */
  readonly x: Output
  /** Before the first step. */
  readonly states: readonly Output[]
  /** bool [steps, rows]: steps that do not count leave the states as they are. */
  readonly mask?: Output | undefined
  readonly isTraining: boolean
}

/** Runs a cell over all steps. */
export function runCell (scope: Scope, cell: Cell, { x, states, mask, isTraining }: RunOptions): Scanned {
  const { projecting, stepping, project } = cell
  const projected = scope.float(project(scope, x, { ...projecting.weights, ...projecting.masks }))
  const rank = Math.max(...cell.stateShapes.map(({ length }) => length))
  const step: Step = ({ scope, slices: [slice, isStep], states, weights, constants }) => {
    const next = cell.step(scope, slice!, states, { ...named(stepping.weights, weights), ...named(stepping.masks, constants) })
    return isStep === undefined ? next : next.map((after, index) => scope.op('SelectV2', [isStep, after, states[index]!]))
  }
  return scan(scope, step, {
    sequences: mask === undefined ? [projected] : [projected, withRank(scope, mask, rank + 1)],
    states,
    weights: Object.values(stepping.weights),
    constants: Object.values(stepping.masks),
    isTraining
  })
}

function named (pattern: Parts, outputs: readonly Output[]): Parts {
  return Object.fromEntries(Object.keys(pattern).map((name, index) => [name, outputs[index]!]))
}

/** Adds axes of 1 at the end. */
function withRank (scope: Scope, mask: Output, rank: number): Output {
  let x = mask
  for (let axis = 2; axis < rank; axis++) x = scope.expandDims(x, axis)
  return x
}
