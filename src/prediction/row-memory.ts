/** Bytes that are kept at most. */
const MOST_BYTES = 32 * 2 ** 20

/**
 * Memory for pixels that is used again: where each photo took some of its own, the collector ran every hundred photos, for some ten milliseconds.
 * What is not given back is the collector's.
 */
export class RowMemory {
  /** By length, the one that was given back last at the end. */
  readonly #free = new Map<number, Uint8Array[]>()
  #bytes = 0

  /** Holds whatever was there before. */
  take (length: number): Uint8Array {
    const found = this.#free.get(length)?.pop()
    if (found === undefined) return new Uint8Array(length)
    this.#bytes -= length
    return found
  }

  /** @param memory that nobody reads or writes any more */
  give (memory: Uint8Array): void {
    const { length } = memory
    if (length > MOST_BYTES) return
    const free = this.#free.get(length) ?? []
    this.#free.delete(length)
    this.#free.set(length, free)
    free.push(memory)
    this.#bytes += length
    while (this.#bytes > MOST_BYTES) this.#dropOldest()
  }

  #dropOldest (): void {
    const [oldest] = this.#free
    if (oldest === undefined) return
    const [length, free] = oldest
    if (free.pop() === undefined) this.#free.delete(length)
    else this.#bytes -= length
  }
}
