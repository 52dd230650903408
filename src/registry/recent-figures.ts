import type { RunReport } from '../batching/run-request.ts'

/** What a version did in the last minute. Means are undefined where nothing ran. */
export interface RecentFigures {
  readonly runs: number
  readonly requests: number
  /** A run that is no batch counts as one. */
  readonly rows: number
  /** Rows that only filled runs up. */
  readonly padding: number
  readonly failedRuns: number
  readonly rejected: number
  readonly meanRows: number | undefined
  readonly meanRunMs: number | undefined
  readonly meanWaitMs: number | undefined
  readonly longestWaitMs: number
  /** Why batches went. */
  readonly released: Readonly<Record<'full' | 'idle' | 'timer', number>>
}

const SECONDS = 60

/** Sums over the runs of a second. */
interface Sums {
  runs: number
  requests: number
  rows: number
  padding: number
  failedRuns: number
  rejected: number
  runMs: number
  waitMs: number
  longestWaitMs: number
  full: number
  idle: number
  timer: number
}

const NOTHING: Sums = { runs: 0, requests: 0, rows: 0, padding: 0, failedRuns: 0, rejected: 0, runMs: 0, waitMs: 0, longestWaitMs: 0, full: 0, idle: 0, timer: 0 }

/** Remembers a minute of runs, second by second. */
export class RecentRuns {
  readonly #seconds: { readonly at: number, readonly sums: Sums }[] = []
  readonly #now: () => number

  constructor (now: () => number = () => performance.now()) {
    this.#now = now
  }

  add ({ rows, size, released, requests, runMs, waitedMs, hasFailed }: RunReport): void {
    const sums = this.#second()
    sums.runs++
    sums.requests += requests
    sums.rows += rows ?? 1
    sums.padding += (size ?? 0) - (rows ?? 0)
    sums.failedRuns += Number(hasFailed)
    sums.runMs += runMs
    sums.waitMs += waitedMs
    sums.longestWaitMs = Math.max(sums.longestWaitMs, waitedMs)
    if (released !== undefined) sums[released]++
  }

  reject (): void {
    this.#second().rejected++
  }

  figures (): RecentFigures {
    this.#forget()
    const total = { ...NOTHING }
    for (const { sums } of this.#seconds) {
      for (const key of Object.keys(total) as (keyof Sums)[]) total[key] = key === 'longestWaitMs' ? Math.max(total[key], sums[key]) : total[key] + sums[key]
    }
    const { runMs, waitMs, full, idle, timer, ...counts } = total
    const mean = (sum: number): number | undefined => counts.runs === 0 ? undefined : sum / counts.runs
    return { ...counts, meanRows: mean(counts.rows), meanRunMs: mean(runMs), meanWaitMs: mean(waitMs), released: { full, idle, timer } }
  }

  #second (): Sums {
    const at = Math.floor(this.#now() / 1000)
    const last = this.#seconds.at(-1)
    if (last?.at === at) return last.sums
    this.#forget()
    const second = { at, sums: { ...NOTHING } }
    this.#seconds.push(second)
    return second.sums
  }

  #forget (): void {
    const oldest = Math.floor(this.#now() / 1000) - SECONDS
    while (this.#seconds[0] !== undefined && this.#seconds[0].at <= oldest) this.#seconds.shift()
  }
}
