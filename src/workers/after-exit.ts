/** A worker that lived shorter died early. */
const EARLY_MS = 10_000
const [FIRST_DELAY_MS, LONGEST_DELAY_MS] = [1000, 30_000]

/** What is known when a worker has ended that nobody told to. */
export interface ExitView {
  readonly code: number
  readonly livedMs: number
  /** How many of its predecessors died early, one right after another. */
  readonly earlyDeaths: number
  /** Whether another worker runs. */
  readonly othersRun: boolean
  /** Whether any worker ever came as far as serving. */
  readonly hasServed: boolean
}

export type AfterExit =
  | { readonly kind: 'end', readonly code: number }
  | { readonly kind: 'restart', readonly delayMs: number, readonly earlyDeaths: number }

/**
 * What follows a worker's end. Where none ever served and none is left, the cause is the same for every one of them, the next one too: the
 * server ends as they did. Else another takes its place: at once, or after a while that doubles where they die early. Pure.
 */
export function afterExit ({ code, livedMs, earlyDeaths, othersRun, hasServed }: ExitView): AfterExit {
  if (!hasServed && !othersRun) return { kind: 'end', code: code === 0 ? 1 : code }
  if (livedMs >= EARLY_MS) return { kind: 'restart', delayMs: 0, earlyDeaths: 0 }
  return { kind: 'restart', delayMs: Math.min(FIRST_DELAY_MS * 2 ** earlyDeaths, LONGEST_DELAY_MS), earlyDeaths: earlyDeaths + 1 }
}
