import type { TensorParts, TensorValue } from '../tensorflow/index.ts'
import type { Release } from './batch-policy.ts'

/** `low` runs when nothing of `normal` waits. */
export type Priority = 'normal' | 'low'

/** Tensors by name. */
export type Tensors = Readonly<Record<string, TensorValue>>

/** Tensors by name, rows of several requests still apart. */
export type Stacked = Readonly<Record<string, TensorValue | TensorParts>>

/** How a signature's rows are run. */
export type SignatureBatching =
  | { readonly kind: 'batched', /** Rows of a run, ascending. */ readonly sizes: readonly number[] }
  | { readonly kind: 'alone', readonly reason: string }

/** What is to be run. */
export interface RunRequest {
  readonly signature: string
  readonly inputs: Tensors
  /** All if left out. */
  readonly outputs?: readonly string[] | undefined
  /** It changes the model's state: no other such run may be in flight with it. */
  readonly exclusive?: boolean
  readonly priority?: Priority | undefined
  /** When the answer is worth nothing any more, in the clock of `performance.now`. */
  readonly deadline?: number | undefined
  /** When the request was received; default: now. */
  readonly receivedAt?: number | undefined
  /** Leaves the queue, or stops waiting for the result, when aborted. */
  readonly signal?: AbortSignal | undefined
}

export interface RunResult {
  readonly outputs: Record<string, TensorValue>
  /** Milliseconds spent waiting to run. */
  readonly queueMs: number
  /** Milliseconds spent in TensorFlow. */
  readonly inferMs: number
}

/** A run that is over, whose it was and why it went when it did. */
export interface RunReport {
  readonly signature: string
  /** Rows asked for; undefined for a run that is no batch. */
  readonly rows: number | undefined
  /** Rows run, filled up. */
  readonly size: number | undefined
  readonly released: Release | undefined
  readonly requests: number
  readonly runMs: number
  /** Milliseconds that its oldest request had waited. */
  readonly waitedMs: number
  readonly hasFailed: boolean
}
