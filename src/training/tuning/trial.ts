import type { Hyperparameters } from './search-space.ts'

/** What a trial is to do. */
export interface Trial {
  /** From 0, in the order in which they were suggested. */
  readonly number: number
  readonly hyperparameters: Hyperparameters
}

/** How a trial ended. */
export interface TrialResult extends Trial {
  /** `stopped`: it fell behind others at the same epoch, and was given up. `failed`: it crashed or diverged. */
  readonly state: 'done' | 'stopped' | 'failed'
  /** The objective: the mean over the executions of the best epoch's. Absent where no epoch ended. */
  readonly value?: number
  /** The objective after each epoch of the first execution. */
  readonly values: readonly number[]
  /** The best epoch of the first execution, from 1. */
  readonly bestEpoch?: number
  readonly seconds: number
  /** Why it failed. */
  readonly reason?: string
}

/** What is looked for: a figure of the training history, and whether more of it is better. */
export interface Objective {
  /** As `val_acc`, `val_loss`. */
  readonly figure: string
  readonly direction: 'max' | 'min'
}

/** Whether `value` is better than `than`; anything is better than nothing. Pure. */
export function isBetter ({ direction }: Objective, value: number, than: number | undefined): boolean {
  if (than === undefined) return true
  return direction === 'max' ? value > than : value < than
}

/** The best value and where it stands; undefined for none. Pure. */
export function bestOf (objective: Objective, values: readonly number[]): { value: number, index: number } | undefined {
  let best: { value: number, index: number } | undefined
  values.forEach((value, index) => { if (isBetter(objective, value, best?.value)) best = { value, index } })
  return best
}

/** Trials with a value, best first. Pure. */
export function ranked (objective: Objective, results: readonly TrialResult[]): (TrialResult & { value: number })[] {
  const measured = results.filter((result): result is TrialResult & { value: number } => result.value !== undefined)
  return measured.sort((a, b) => objective.direction === 'max' ? b.value - a.value : a.value - b.value)
}
