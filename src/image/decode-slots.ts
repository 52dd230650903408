import { FairGate, type Door } from '../batching/fair-gate.ts'
import { once } from '../batching/once.ts'
import { abortError } from '../errors.ts'

/** Gives the slot back; idempotent. */
export type ReleaseSlot = () => void

/** Whose images are decoded: those of one model stand in one line. */
interface Line {
  readonly door: Door
  /** What gives each of those who wait their slot, first come first. */
  readonly waiting: Set<(release: ReleaseSlot) => void>
  inUse: number
}

/**
 * Bounds how many images are decoded at once. Within a line first come, first served, however many wait; between lines the one that has used the slots least
 * is served, so many images for one model do not keep another's waiting. Who gives up while waiting leaves the line.
 */
export class DecodeSlots {
  readonly #gate: FairGate
  readonly #lines = new Map<string, Line>()

  constructor (size: number) {
    this.#gate = new FairGate(size)
  }

  /** Slots in use and those who wait for one. */
  get pending (): number {
    let pending = 0
    for (const { waiting, inUse } of this.#lines.values()) pending += waiting.size + inUse
    return pending
  }

  /** @throws ClientClosedError, or the signal's reason where that is one of our errors, if the signal aborts before a slot is free */
  async acquire (name: string, signal?: AbortSignal): Promise<ReleaseSlot> {
    if (signal?.aborted) throw abortError(signal)
    const line = this.#line(name)
    return await new Promise((resolve, reject) => {
      const give = (release: ReleaseSlot): void => {
        signal?.removeEventListener('abort', abort)
        resolve(release)
      }
      const abort = (): void => {
        line.waiting.delete(give)
        this.#forget(name, line)
        reject(abortError(signal!))
      }
      line.waiting.add(give)
      signal?.addEventListener('abort', abort, { once: true })
      line.door.knock()
    })
  }

  #line (name: string): Line {
    const known = this.#lines.get(name)
    if (known !== undefined) return known
    const waiting: Line['waiting'] = new Set()
    const door = this.#gate.add({ canStart: () => waiting.size > 0, start: async () => { await this.#serve(name, line) } })
    const line: Line = { door, waiting, inUse: 0 }
    this.#lines.set(name, line)
    return line
  }

  /** @returns resolves when the slot is given back */
  async #serve (name: string, line: Line): Promise<void> {
    const [give] = line.waiting
    line.waiting.delete(give!)
    line.inUse++
    await new Promise<void>(resolve => {
      give!(once(() => {
        line.inUse--
        this.#forget(name, line)
        resolve()
      }))
    })
  }

  #forget (name: string, { waiting, inUse, door }: Line): void {
    if (waiting.size > 0 || inUse > 0) return
    door.leave()
    this.#lines.delete(name)
  }
}
