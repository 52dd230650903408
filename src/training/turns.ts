import { hasCustomOperations, opDef, type Operation, type Output } from '../tensorflow/index.ts'
import type { Scope } from './lowering/scope.ts'

/** Runs of a graph that are begun before the run before has ended: each does what it can before its turn, and begins to read variables when that one has changed them. */
export interface Turns {
  /** int64 scalar, of the run's turn, from 1; 0, if it is not fed, waits for nothing. */
  readonly number: Output
  /** What variables are read after. */
  readonly take: Operation
  /** Ends a turn whose run failed. */
  readonly end: Operation
  /** Ends a turn after what changes variables. */
  endAfter (changes: readonly Operation[]): Operation
}

/** Of all graphs of this process. */
let count = 0

/**
 * Not for graphs that leave out changes in some steps, as the scale of float16's losses does: a turn would not end.
 *
 * @returns undefined where there are no operations for it: runs then have to come one after another
 */
export function addTurns (scope: Scope): Turns | undefined {
  if (!hasCustomOperations() || opDef('TensorportTakeTurn') === undefined) return undefined
  const turns = ++count
  const number = scope.op('PlaceholderWithDefault', [scope.graph.scalar('int64', 0)], { shape: [] })
  const end = (after: readonly Operation[]): Operation => scope.operation('TensorportEndTurn', [number], { turns }, after)
  return { number, take: scope.operation('TensorportTakeTurn', [number], { turns }), end: end([]), endAfter: end }
}
