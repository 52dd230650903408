import { DeadlineExceededError, QueueFullError } from '../errors.ts'
import { DrainRate } from './drain-rate.ts'
import { once } from './once.ts'
import { removeItem } from './remove-item.ts'

/** Places for requests whose bodies are on their way: how long each is kept, and how many of all. */
const KEPT = { ms: 1000, part: 1 / 2 }
/**
 * Refusals that follow each other within `withinMs` go on; when they have for `lastingMs`, the line is kept to what is answered in `maxWaitMs`, and to a part of what is let in
 * at least otherwise.
 */
const OVERRUN = { withinMs: 1000, lastingMs: 1000, maxWaitMs: 200, partOfMin: 1 / 4 }

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

/** A place that is kept for a request whose body is on its way. */
export interface Reservation {
  /** Nobody is to come, or has come and gone. Idempotent. */
  readonly giveUp: () => void
}

interface Kept extends Reservation { readonly since: number }

/** What is known of a request at the door. */
export interface AdmissionTerms {
  /** When it was received, in the clock of `performance.now`; default: now. */
  readonly receivedAt?: number
  /** When its answer is worth nothing any more, in the same clock. */
  readonly deadline?: number | undefined
  /** Taken in place of a new place, if it still stands here. */
  readonly reservation?: Reservation | undefined
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

/** One that keeps nothing. */
export function freeReservation (): Reservation {
  return { giveUp: () => {} }
}

/** Requests finished in a second, undefined if not known yet, and how many may be here at that rate. */
interface Pace {
  readonly perSecond: number | undefined
  readonly limit: number
}

/** Lets requests in before anything is done for them: no more than can be answered in time. */
export class AdmissionControl {
  readonly #model: string
  readonly #limits: AdmissionLimits
  readonly #whenOverrun: AdmissionLimits
  readonly #rate = new DrainRate()
  readonly #now: () => number
  /** Places kept, the first for longest. */
  readonly #kept: Kept[] = []
  #inside = 0
  #expected = 0
  #refusals: { readonly since: number, last: number } | undefined

  constructor (model: string, limits: AdmissionLimits, now: () => number = () => performance.now()) {
    this.#model = model
    this.#limits = limits
    this.#whenOverrun = { ...limits, minRequests: Math.ceil(limits.minRequests * OVERRUN.partOfMin), maxWaitMs: Math.min(limits.maxWaitMs, OVERRUN.maxWaitMs) }
    this.#now = now
  }

  /** Requests that are here. */
  get inside (): number { return this.#inside }
  /** Requests whose rows are still to come. */
  get expected (): number { return this.#expected }
  get perSecond (): number | undefined { return this.#rate.perSecond() }
  get limit (): number { return this.#pace(this.#now()).limit }

  /**
   * Keeps a place for a request whose body is still to come, for a while, and while no more than half of all are kept so: clients that send slowly are not to keep
   * others from theirs. Who is let in without one asks again.
   *
   * @throws QueueFullError, with the seconds after which to try again, if there are too many
   * @throws DeadlineExceededError if those before it take longer than it has time
   */
  reserve (terms: AdmissionTerms = {}): Reservation {
    const now = this.#now()
    const pace = this.#pace(now)
    this.#refuseIfFull(now, pace)
    this.#refuseIfLate(now, pace, terms)
    const reservation: Kept = { since: now, giveUp: () => { removeItem(this.#kept, reservation) } }
    if (this.#kept.length < pace.limit * KEPT.part) this.#kept.push(reservation)
    return reservation
  }

  /** @throws as `reserve` */
  enter (terms: AdmissionTerms = {}): Admission {
    const now = this.#now()
    const { receivedAt, reservation } = terms
    const pace = this.#pace(now)
    if (reservation === undefined || !removeItem(this.#kept, reservation)) this.#refuseIfFull(now, pace)
    this.#refuseIfLate(now, pace, terms)
    this.#rate.begin(now)
    this.#inside++
    this.#expected++
    const arrive = once(() => { this.#expected-- })
    return { receivedAt: receivedAt ?? now, arrive, leave: once(() => { arrive(); this.#leave() }) }
  }

  #refuseIfFull (now: number, { perSecond, limit }: Pace): void {
    const inside = this.#inside + this.#stillKept(now)
    if (inside < limit) return
    this.#countRefusal(now)
    throw Object.assign(new QueueFullError(this.#model, inside), { retryAfterSeconds: retryAfterSeconds({ inside, perSecond }) })
  }

  #refuseIfLate (now: number, { perSecond }: Pace, { receivedAt, deadline }: AdmissionTerms): void {
    const waitMs = perSecond === undefined ? 0 : this.#inside / perSecond * 1000
    if (deadline !== undefined && now + waitMs > deadline) throw new DeadlineExceededError(Math.max(0, Math.round(deadline - (receivedAt ?? now))))
  }

  /** How many places are kept, without those that were for too long. */
  #stillKept (now: number): number {
    while (this.#kept.length > 0 && now - this.#kept[0]!.since > KEPT.ms) this.#kept.shift()
    return this.#kept.length
  }

  /** A burst may stand in line for long. Where requests keep coming faster than they are answered, a long line serves no more of them, and all later: it is kept short. */
  #pace (now: number): Pace {
    const { perSecond } = this
    return { perSecond, limit: admissionLimit(perSecond, this.#isOverrun(now) ? this.#whenOverrun : this.#limits) }
  }

  #isOverrun (now: number): boolean {
    const refusals = this.#refusals
    return refusals !== undefined && now - refusals.last <= OVERRUN.withinMs && refusals.last - refusals.since >= OVERRUN.lastingMs
  }

  #countRefusal (now: number): void {
    if (this.#refusals === undefined || now - this.#refusals.last > OVERRUN.withinMs) this.#refusals = { since: now, last: now }
    else this.#refusals.last = now
  }

  #leave (): void {
    this.#inside--
    const now = this.#now()
    this.#rate.finish(now)
    if (this.#inside === 0) this.#rate.rest(now)
  }
}
