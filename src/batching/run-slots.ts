import { abortError, QueueFullError } from '../errors.ts'

/** How many runs of a version may be in TensorFlow at once, and how many more may wait for their turn. */
export interface SlotLimits {
  readonly concurrency: number
  readonly maxWaiting: number
}

/** A run that waits. An exclusive one changes the model's state: no other exclusive run may be in flight with it. */
export interface WaitingRun {
  readonly exclusive: boolean
}

/** Runs in flight, exclusive ones counted among them. */
export interface InFlight {
  readonly runs: number
  readonly exclusiveRuns: number
}

/**
 * The waiting run that may start now: the one that waits longest, unless it is exclusive and another exclusive one is in flight;
 * then the first that is not. Pure.
 *
 * @returns undefined when none may start
 */
export function nextRun<T extends WaitingRun> (waiting: Iterable<T>, inFlight: InFlight, concurrency: number): T | undefined {
  if (inFlight.runs >= concurrency) return undefined
  for (const run of waiting) {
    if (!run.exclusive || inFlight.exclusiveRuns === 0) return run
  }
  return undefined
}

/** Gives the slot back; idempotent. */
export type ReleaseSlot = () => void

export interface AcquireOptions {
  readonly exclusive?: boolean | undefined
  /** Gives up waiting when aborted. */
  readonly signal?: AbortSignal | undefined
}

interface Waiter extends WaitingRun {
  start (): void
}

/** A bounded number of runs in flight and a bounded queue, first in, first out, before them. */
export class RunSlots {
  readonly #model: string
  readonly #limits: SlotLimits
  readonly #waiting = new Set<Waiter>()
  #runs = 0
  #exclusiveRuns = 0

  /** @param model the name that QueueFullError gives */
  constructor (model: string, limits: SlotLimits) {
    this.#model = model
    this.#limits = limits
  }

  get inFlight (): number {
    return this.#runs
  }

  get waiting (): number {
    return this.#waiting.size
  }

  /**
   * Resolves once the run may start. The caller has to call what it gets exactly when the run is over.
   *
   * @throws QueueFullError at once, if the run can not start and the queue is full
   * @throws ClientClosedError, or the signal's own reason, if aborted while it waits
   */
  async acquire ({ exclusive = false, signal }: AcquireOptions = {}): Promise<ReleaseSlot> {
    if (signal?.aborted) throw abortError(signal)
    if (nextRun([{ exclusive }], this.#inFlight(), this.#limits.concurrency) !== undefined) return this.#start(exclusive)
    if (this.#waiting.size >= this.#limits.maxWaiting) throw new QueueFullError(this.#model, this.#waiting.size)
    return await this.#wait(exclusive, signal)
  }

  #wait (exclusive: boolean, signal: AbortSignal | undefined): Promise<ReleaseSlot> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.delete(waiter)
        reject(abortError(signal as AbortSignal))
      }
      const waiter: Waiter = {
        exclusive,
        start: () => {
          this.#waiting.delete(waiter)
          signal?.removeEventListener('abort', abort)
          resolve(this.#start(exclusive))
        }
      }
      this.#waiting.add(waiter)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  #start (exclusive: boolean): ReleaseSlot {
    this.#runs += 1
    if (exclusive) this.#exclusiveRuns += 1
    let released = false
    return () => {
      if (released) return
      released = true
      this.#runs -= 1
      if (exclusive) this.#exclusiveRuns -= 1
      this.#startWaiting()
    }
  }

  #startWaiting (): void {
    let run = nextRun(this.#waiting, this.#inFlight(), this.#limits.concurrency)
    while (run !== undefined) {
      run.start()
      run = nextRun(this.#waiting, this.#inFlight(), this.#limits.concurrency)
    }
  }

  #inFlight (): InFlight {
    return { runs: this.#runs, exclusiveRuns: this.#exclusiveRuns }
  }
}
