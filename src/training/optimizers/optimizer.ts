import type { Operation, Output, Variable } from '../../tensorflow/index.ts'
import type { Scope } from '../lowering/scope.ts'
import type { Schedule } from '../schedules.ts'

/** What is the same for all variables in a step. */
export interface SharedStep {
  readonly scope: Scope
  /** float32 scalar, fed at each step, so that a schedule can change it. */
  readonly learningRate: Output
  /** float32 scalar: 1 at the first step. */
  readonly step: Output
  /** A scalar variable that the optimizer keeps. */
  readonly scalarSlot: (name: string, initial: number) => Variable
}

/** What an optimizer works with, one variable at a time. */
export interface VariableStep {
  readonly scope: Scope
  readonly variable: Variable
  readonly gradient: Output
  /** A variable of the same shape that the optimizer keeps beside this one. @param initial default 0 */
  readonly slot: (name: string, initial?: number) => Variable
  /** What has to have run before the variable is changed. */
  readonly after: readonly Operation[]
}

/** How gradients change weights. */
export interface Optimizer {
  readonly name: string
  readonly learningRate: number | Schedule
  /** Adds what all variables share, once. @returns what adds the operation that changes one variable */
  begin (shared: SharedStep): (step: VariableStep) => Operation
}

/** An option of every optimizer. */
export interface LearningRateOption {
  readonly learningRate?: number | Schedule
}
