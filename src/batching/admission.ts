import { DeadlineExceededError, QueueFullError } from '../errors.ts'
import { DrainRate } from './drain-rate.ts'
import { once } from './once.ts'

/** Refusals that follow each other within `within` go on; when they have for `lasting`, the line is kept to what is answered in `wait`. All in milliseconds. */
const OVERRUN = { within: 1000, lasting: 1000, wait: 200 }

export interface AdmissionLimits {
  /** Requests that may be here at once, whatever was measured. */
  readonly maxRequests: number
  /** So many are let in even where they are slow: what keeps the engine busy. */
  readonly minRequests: number
  /** Longest time, in milliseconds, that a request is let in for, by the rate that was measured. */
  readonly maxWaitMs: number
}

/** What is known at the door. */
export interface AdmissionView {
  /** Requests that are here. */
  readonly inside: number
  /** Requests finished in a second; undefined if not known yet. */
  readonly perSecond: number | undefined
}

/**
 * How many requests may be here at once: as many as are finished within `maxWaitMs` at the rate that was measured (Little's law: what is inside = rate × time).
 * Pure.
 */
export function admissionLimit (perSecond: number | undefined, { maxRequests, minRequests, maxWaitMs }: AdmissionLimits): number {
  if (perSecond === undefined) return maxRequests
  return Math.min(maxRequests, Math.max(minRequests, Math.floor(perSecond * maxWaitMs / 1000)))
}

/** Seconds until half of those who are here have gone, 1 to 60: when to try again. Pure. */
export function retryAfterSeconds ({ inside, perSecond }: AdmissionView): number {
  if (perSecond === undefined) return 1
  return Math.min(60, Math.max(1, Math.ceil(inside / 2 / perSecond)))
}

/** What is known of a request at the door. */
export interface AdmissionTerms {
  /** When it was received, in the clock of `performance.now`; default: now. */
  readonly receivedAt?: number
  /** When its answer is worth nothing any more, in the same clock. */
  readonly deadline?: number | undefined
}

/** A request's place at a version. */
export interface Admission {
  /** When the request was received, in the clock of `performance.now`. */
  readonly receivedAt: number
  /** Its rows are there, or never will be: nobody waits for them. Idempotent. */
  readonly arrive: () => void
  /** The request is over. Idempotent. */
  readonly leave: () => void
}

/** A place where nobody counts. */
export function freeAdmission (receivedAt: number): Admission {
  return { receivedAt, arrive: () => {}, leave: () => {} }
}

/** Lets requests in before anything is done for them: no more than can be answered in time. */
export class AdmissionControl {
  readonly #model: string
  readonly #limits: AdmissionLimits
  readonly #rate = new DrainRate()
  readonly #now: () => number
  #inside = 0
  #expected = 0
  #refusals: { readonly since: number, last: number } | undefined

  constructor (model: string, limits: AdmissionLimits, now: () => number = () => performance.now()) {
    this.#model = model
    this.#limits = limits
    this.#now = now
  }

  /** Requests that are here. */
  get inside (): number { return this.#inside }
  /** Requests whose rows are still to come. */
  get expected (): number { return this.#expected }
  get perSecond (): number | undefined { return this.#rate.perSecond() }
  get limit (): number { return this.#limitAt(this.#now()) }

  /**
   * Whether a request would get a place now; it takes none.
   *
   * @param deadline when the answer is worth nothing any more, in the clock of `performance.now`
   * @throws QueueFullError, with the seconds after which to try again, if there are too many
   * @throws DeadlineExceededError if those before it take longer than it has time
   */
  check ({ receivedAt, deadline }: AdmissionTerms = {}): void {
    const now = this.#now()
    const { inside, perSecond } = this
    if (inside >= this.#limitAt(now)) {
      this.#countRefusal(now)
      throw Object.assign(new QueueFullError(this.#model, inside), { retryAfterSeconds: retryAfterSeconds({ inside, perSecond }) })
    }
    const waitMs = perSecond === undefined ? 0 : inside / perSecond * 1000
    if (deadline !== undefined && now + waitMs > deadline) throw new DeadlineExceededError(Math.max(0, Math.round(deadline - (receivedAt ?? now))))
  }

  /** @throws as `check` */
  enter (terms: AdmissionTerms = {}): Admission {
    this.check(terms)
    const now = this.#now()
    const { receivedAt } = terms
    this.#rate.begin(now)
    this.#inside++
    this.#expected++
    const arrive = once(() => { this.#expected-- })
    return { receivedAt: receivedAt ?? now, arrive, leave: once(() => { arrive(); this.#leave() }) }
  }

  /** A burst may stand in line for long. Where requests keep coming faster than they are answered, a long line serves no more of them, and all later: it is kept short. */
  #limitAt (now: number): number {
    const { maxWaitMs } = this.#limits
    return admissionLimit(this.perSecond, { ...this.#limits, maxWaitMs: this.#isOverrun(now) ? Math.min(maxWaitMs, OVERRUN.wait) : maxWaitMs })
  }

  #isOverrun (now: number): boolean {
    const refusals = this.#refusals
    return refusals !== undefined && now - refusals.last <= OVERRUN.within && refusals.last - refusals.since >= OVERRUN.lasting
  }

  #countRefusal (now: number): void {
    if (this.#refusals === undefined || now - this.#refusals.last > OVERRUN.within) this.#refusals = { since: now, last: now }
    else this.#refusals.last = now
  }

  #leave (): void {
    this.#inside--
    const now = this.#now()
    this.#rate.finish(now)
    if (this.#inside === 0) this.#rate.rest(now)
  }
}
