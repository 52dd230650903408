import type { Hyperparameters } from './search-space.ts'
import type { Objective } from './trial.ts'

/** What a trial's process is told first. */
export interface TrialOrder {
  readonly recipe: string
  readonly data: string | undefined
  readonly modelsDir: string
  readonly hyperparameters: Hyperparameters
  readonly epochs: number
  /** One for each execution. */
  readonly seeds: readonly number[]
  readonly objective: Objective
}

/** What it says. After `done` or `failed` it says no more. */
export type TrialNews =
  | { readonly kind: 'epoch', readonly value: number }
  | { readonly kind: 'done', readonly bestOfExecutions: readonly number[], readonly stopped: boolean }
  | { readonly kind: 'failed', readonly reason: string }

/** What it may be told later: to give up after the step under way. */
export const GIVE_UP = 'give up'
