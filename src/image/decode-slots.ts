import { RunSlots, type ReleaseSlot } from '../batching/run-slots.ts'

/** Bounds how many images are decoded at once. First come, first served, however many wait; who gives up while waiting leaves the line. */
export class DecodeSlots {
  readonly #slots: RunSlots

  constructor (size: number) {
    this.#slots = new RunSlots('images', { concurrency: size, maxWaiting: Infinity })
  }

  /** Slots in use and those who wait for one. */
  get pending (): number {
    return this.#slots.inFlight + this.#slots.waiting
  }

  /** @throws ClientClosedError, or the signal's reason where that is one of our errors, if the signal aborts before a slot is free */
  async acquire (signal?: AbortSignal): Promise<ReleaseSlot> {
    return await this.#slots.acquire({ signal })
  }
}
