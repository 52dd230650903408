/** Milliseconds of one count, and how many of them are looked at. */
const [COUNT_MS, COUNTS] = [100, 20]

/** How many requests a second are finished while there are any: the figures of the last two busy seconds. */
export class DrainRate {
  readonly #finished = new Float64Array(COUNTS)
  readonly #busyMs = new Float64Array(COUNTS)
  #slot = 0
  #busySince: number | undefined
  #last = 0

  /** A first request has come in. */
  begin (now: number): void {
    this.#busySince ??= now
    this.#last = now
  }

  finish (now: number): void {
    this.#advance(now)
    this.#finished[this.#slot]! += 1
  }

  /** The last one has gone. */
  rest (now: number): void {
    this.#advance(now)
    this.#busySince = undefined
  }

  /** Requests a second; undefined until there is enough to tell. */
  perSecond (): number | undefined {
    const busyMs = sum(this.#busyMs)
    const finished = sum(this.#finished)
    return busyMs < COUNT_MS || finished < 8 ? undefined : finished / busyMs * 1000
  }

  /** Gives the time since the last look to the count under way, and begins the next one when that is full. */
  #advance (now: number): void {
    if (this.#busySince === undefined) return
    this.#busyMs[this.#slot]! += now - this.#last
    this.#last = now
    if (this.#busyMs[this.#slot]! < COUNT_MS) return
    this.#slot = (this.#slot + 1) % COUNTS
    this.#finished[this.#slot] = 0
    this.#busyMs[this.#slot] = 0
  }
}

function sum (values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}
