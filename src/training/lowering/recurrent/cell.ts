import type { LayerCall } from '../layer-call.ts'
import type { Dimension, Scope } from '../scope.ts'
import type { Output } from '../../../tensorflow/index.ts'

/** Tensors by name. */
export type Parts = Readonly<Record<string, Output>>

/** What half of a cell works with. */
export interface Half {
  readonly weights: Parts
  /** Dropout masks, the same at every step; no gradient reaches them. */
  readonly masks: Parts
}

/** What a recurrent layer does at each step, in two halves, so that the first is done for all steps in one go. */
export interface Cell {
  /** Of each state, [rows, …]; the first state is the cell's output. */
  readonly stateShapes: readonly (readonly Dimension[])[]
  readonly projecting: Half
  readonly stepping: Half
  /** What does not depend on the states. @param x [rows, …] or [steps, rows, …] */
  readonly project: (scope: Scope, x: Output, parts: Parts) => Output
  /** @returns the next states */
  readonly step: (scope: Scope, projected: Output, states: readonly Output[], parts: Parts) => readonly Output[]
}

/** @param inputShape of one step: [rows, …] */
export type MakeCell = (call: LayerCall, inputShape: readonly Dimension[]) => Cell
