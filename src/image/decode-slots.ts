import { FairGate, type Door } from '../batching/fair-gate.ts'
import { once } from '../batching/once.ts'
import { removeItem } from '../batching/remove-item.ts'
import { abortError } from '../errors.ts'

/** Gives the slot back; idempotent. */
export type ReleaseSlot = () => void

/** What a decode has in common with others that can share its slot. */
export interface Sharing {
  readonly kind: string
  /** How much of a slot it takes, 0 to 1: a slot is shared by several up to 1. */
  readonly part: number
}

interface Waiting {
  readonly sharing: Sharing | undefined
  readonly give: (release: ReleaseSlot) => void
}

/** Whose images are decoded: those of one model stand in one line. */
interface Line {
  readonly door: Door
  /** First come first served. */
  readonly waiting: Waiting[]
  /** Images. */
  inUse: number
  slotsInUse: number
  /** When somebody came last, milliseconds. */
  cameAt: number
}

/** Milliseconds for which a line counts after somebody came. */
const COUNTS_MS = 1000

/**
 * Bounds how many images are decoded at once. Within a line first come, first served, however many wait; between lines the one that has used the slots least
 * is served, so many images for one model do not keep another's waiting. Small decodes of one kind share a slot where more wait than there are slots, so that
 * they can be done in one go; not while images come in another line that is short, since each of those would wait for all who share. While images come in several lines, none takes the
 * last slot that is free of it, so that one of another begins at once. Who gives up while waiting leaves the line.
 */
export class DecodeSlots {
  readonly #size: number
  readonly #now: () => number
  readonly #gate: FairGate
  /** By name; one stays when it is empty, since models are few. */
  readonly #lines = new Map<string, Line>()

  constructor (size: number, now: () => number = () => performance.now()) {
    this.#size = size
    this.#now = now
    this.#gate = new FairGate(size, now)
  }

  /** Slots in use and those who wait for one. */
  get pending (): number {
    let pending = 0
    for (const { waiting, inUse } of this.#lines.values()) pending += waiting.length + inUse
    return pending
  }

  /** @throws ClientClosedError, or the signal's reason where that is one of our errors, if the signal aborts before a slot is free */
  async acquire (name: string, { signal, sharing }: { signal?: AbortSignal | undefined, sharing?: Sharing | undefined } = {}): Promise<ReleaseSlot> {
    if (signal?.aborted) throw abortError(signal)
    const line = this.#line(name)
    return await new Promise((resolve, reject) => {
      const give = (release: ReleaseSlot): void => {
        signal?.removeEventListener('abort', abort)
        resolve(release)
      }
      const abort = (): void => {
        removeItem(line.waiting, waiting)
        reject(abortError(signal!))
      }
      const waiting: Waiting = { sharing, give }
      line.waiting.push(waiting)
      line.cameAt = this.#now()
      signal?.addEventListener('abort', abort, { once: true })
      line.door.knock()
    })
  }

  #line (name: string): Line {
    const known = this.#lines.get(name)
    if (known !== undefined) return known
    const waiting: Waiting[] = []
    const door = this.#gate.add({ canStart: () => waiting.length > 0 && !this.#leavesLast(line), start: async () => { await this.#serve(line) } })
    const line: Line = { door, waiting, inUse: 0, slotsInUse: 0, cameAt: -Infinity }
    this.#lines.set(name, line)
    return line
  }

  /** @returns resolves when the slot is given back by all who share it */
  async #serve (line: Line): Promise<void> {
    const served = line.waiting.splice(0, this.#countNext(line))
    line.inUse += served.length
    line.slotsInUse++
    await Promise.all(served.map(async ({ give }) => await new Promise<void>(resolve => {
      give(once(() => {
        line.inUse--
        resolve()
      }))
    })))
    line.slotsInUse--
  }

  /** How many are served together: the first in line, and those right after it that can share its slot, no more than leave as many for each other slot. */
  #countNext (line: Line): number {
    const { waiting } = line
    const most = this.#hasShortOther(line) ? 1 : Math.ceil(waiting.length / this.#size)
    const kind = waiting[0]?.sharing?.kind
    let room = 1
    let served = 0
    for (const { sharing } of waiting) {
      room -= sharing?.part ?? 1
      if (served > 0 && (room < 0 || sharing?.kind !== kind)) break
      if (++served >= most) break
    }
    return served
  }

  /** Whether images come in another line, and fewer wait there than would share. */
  #hasShortOther (line: Line): boolean {
    return this.#others(line).some(({ waiting }) => waiting.length < this.#size)
  }

  /** Whether a line has all slots but one, which is for the others. */
  #leavesLast (line: Line): boolean {
    return this.#size > 1 && line.slotsInUse === this.#size - 1 && this.#others(line).length > 0
  }

  /** The other lines in which images come. */
  #others (line: Line): Line[] {
    return [...this.#lines.values()].filter(other => other !== line && this.#now() - other.cameAt < COUNTS_MS)
  }
}
