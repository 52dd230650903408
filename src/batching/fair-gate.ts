import { removeItem } from './remove-item.ts'

/** Work of one kind that shares places with others. */
export interface Lane {
  /** Whether something could begin now. */
  canStart (): boolean
  /** Begins it. @returns resolves when its place is free again */
  start (): Promise<void>
}

/** A lane's door to the gate. */
export interface Door {
  /** There may be something to begin. */
  knock (): void
  /** The lane has nothing more to begin, ever. */
  leave (): void
}

interface Member extends Lane {
  /** Has something to begin or under way; else it rests. */
  isBusy: boolean
  /** Milliseconds of places used, as far as fairness goes. */
  used: number
  inside: number
}

/**
 * A number of places that lanes share fairly: a free one goes to the lane that has used them least, so that many who wait in one lane do not
 * keep the others from theirs. A lane that comes back after a rest starts level with those that are busy: it neither makes up for its rest nor pays for what it used alone.
 *
 * @see start-time fair queueing, Goyal, Vin and Cheng, 1996
 */
export class FairGate {
  readonly #places: number
  readonly #now: () => number
  readonly #members: Member[] = []
  #inside = 0
  /** What those had used who were let in last: the start of who comes. */
  #level = 0

  constructor (places: number, now: () => number = () => performance.now()) {
    this.#places = places
    this.#now = now
  }

  add (lane: Lane): Door {
    const member: Member = { canStart: () => lane.canStart(), start: async () => { await lane.start() }, isBusy: false, used: 0, inside: 0 }
    this.#members.push(member)
    return {
      knock: () => { this.#knock(member) },
      leave: () => { removeItem(this.#members, member) }
    }
  }

  #knock (member: Member): void {
    if (!member.isBusy) {
      if (this.#members.every(({ isBusy }) => !isBusy)) this.#level = Math.max(this.#level, ...this.#members.map(({ used }) => used))
      member.used = Math.max(member.used, this.#level)
      member.isBusy = true
    }
    this.#open()
  }

  #open (): void {
    while (this.#inside < this.#places) {
      const next = this.#next()
      if (next === undefined) return
      this.#enter(next)
    }
  }

  #next (): Member | undefined {
    let best: Member | undefined
    for (const member of this.#members) {
      if (!member.isBusy) continue
      const canStart = member.canStart()
      if (canStart && (best === undefined || member.used < best.used)) best = member
      if (!canStart && member.inside === 0) member.isBusy = false
    }
    return best
  }

  #enter (member: Member): void {
    const startedAt = this.#now()
    this.#level = Math.max(this.#level, member.used)
    this.#inside++
    member.inside++
    const leave = (): void => {
      this.#inside--
      member.inside--
      member.used += this.#now() - startedAt
      this.#open()
    }
    member.start().then(leave, leave)
  }
}
