/** Rows that may go into one run together, at one moment. Times are milliseconds of one clock. */
export interface QueueView {
  readonly rows: number
  /** When the request of the oldest row came in. */
  readonly oldestReceivedAt: number
  /** When the oldest row was ready to run. */
  readonly oldestQueuedAt: number
  /** Requests that are here and have rows to come: their photos are being decoded. */
  readonly expected: number
  readonly now: number
}

export interface BatchLimits {
  /** Numbers of rows that runs may have, ascending; shapes that TensorFlow has seen. */
  readonly sizes: readonly number[]
  /** Longest time, in milliseconds, that a row waits for rows that are known to come. */
  readonly maxDelayMs: number
}

/** Why a batch went: as many rows as are allowed; nothing to wait for; it had waited its share. */
export type Release = 'full' | 'idle' | 'timer'

export interface BatchFit {
  /** Taken from the queue. */
  readonly rows: number
  /** The run's, `rows` and what fills it up. */
  readonly size: number
}

export type Decision =
  | { readonly kind: 'idle' }
  | { readonly kind: 'wait', readonly ms: number }
  | { readonly kind: 'run', readonly released: Release } & BatchFit

/** Of the time that a request has taken so far, how much more it may wait for company. */
const SHARE = 0.2

/** From how full on a batch is filled up, rather than run at the next smaller size. */
const FULL_ENOUGH = 0.75

/**
 * What a free run slot does. Runs at once when a full batch waits or no other rows are known to come, so that an engine without work never waits;
 * else when the oldest row has waited a fifth of the time that its request took until then, at most `maxDelayMs`. Pure.
 */
export function decide ({ rows, oldestReceivedAt, oldestQueuedAt, expected, now }: QueueView, { sizes, maxDelayMs }: BatchLimits): Decision {
  if (rows === 0) return { kind: 'idle' }
  const largest = sizes.at(-1)!
  if (rows >= largest) return { kind: 'run', released: 'full', rows: largest, size: largest }
  if (expected === 0) return { kind: 'run', released: 'idle', ...fit(rows, sizes) }
  const left = Math.min(maxDelayMs, SHARE * (oldestQueuedAt - oldestReceivedAt)) - (now - oldestQueuedAt)
  return left > 0 ? { kind: 'wait', ms: left } : { kind: 'run', released: 'timer', ...fit(rows, sizes) }
}

/** The size for so many rows: filled up where little is missing, else the largest that is full, and the rest goes next. Pure. */
export function fit (rows: number, sizes: readonly number[]): BatchFit {
  const above = sizes.find(size => size >= rows) ?? sizes.at(-1)!
  const below = sizes.findLast(size => size <= rows)
  if (below === undefined || rows >= FULL_ENOUGH * above) return { rows: Math.min(rows, above), size: above }
  return { rows: below, size: below }
}
