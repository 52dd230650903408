/** Milliseconds that one job may hold the event loop before others get their turn. */
const BURST_MS = 5

const waiting: (() => void)[] = []

function resumeOne (): void {
  waiting.shift()?.()
  if (waiting.length > 0) setImmediate(resumeOne)
}

/** One job's share of the event loop. Of all jobs that wait, one goes on in each round of the loop, so many long texts at once block it no longer than one. */
export class Turn {
  readonly #now: () => number
  #startedAt: number

  constructor (now: () => number = () => performance.now()) {
    this.#now = now
    this.#startedAt = now()
  }

  /** Whether the job has had its share and should `await` {@link next}. */
  isOver (): boolean {
    return this.#now() - this.#startedAt > BURST_MS
  }

  async next (): Promise<void> {
    await new Promise<void>(resolve => {
      waiting.push(resolve)
      if (waiting.length === 1) setImmediate(resumeOne)
    })
    this.#startedAt = this.#now()
  }
}
