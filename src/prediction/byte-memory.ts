/** Bytes that are kept at most. */
const MOST_BYTES = 32 * 2 ** 20
/** Lengths between a power of two and the next that memory is taken in: what is not used of it is an eighth at most. */
const STEPS = 8
const LEAST_BYTES = 1024

/**
 * Memory for files and pixels that is used again: where each photo took some of its own, the collector walked the whole heap once a second, while everybody
 * waited. What is not given back is the collector's.
 */
export class ByteMemory {
  readonly #free = new Map<number, Free>()
  #bytes = 0
  #gifts = 0

  /** Holds whatever was there before. */
  take (length: number): Uint8Array<ArrayBuffer> {
    const size = sizeFor(length)
    const found = this.#free.get(size)?.buffers.pop()
    if (found !== undefined) this.#bytes -= size
    return new Uint8Array(found ?? new ArrayBuffer(size), 0, length)
  }

  /** @param memory as it was taken, that nobody reads or writes any more */
  give ({ buffer }: Uint8Array<ArrayBuffer>): void {
    const size = buffer.byteLength
    if (size > MOST_BYTES) return
    const free = this.#freeOf(size)
    free.lastGift = this.#gifts++
    free.buffers.push(buffer)
    this.#bytes += size
    while (this.#bytes > MOST_BYTES) this.#dropOldest()
  }

  #freeOf (size: number): Free {
    const known = this.#free.get(size)
    if (known !== undefined) return known
    const free: Free = { size, buffers: [], lastGift: 0 }
    this.#free.set(size, free)
    return free
  }

  /** One of a length that nobody has given back for longest. */
  #dropOldest (): void {
    const held = [...this.#free.values()].filter(({ buffers }) => buffers.length > 0)
    const oldest = held.reduce((oldest, free) => free.lastGift < oldest.lastGift ? free : oldest)
    oldest.buffers.pop()
    this.#bytes -= oldest.size
  }
}

/** Memory of one length, of which there are eight to a power of two. */
interface Free {
  readonly size: number
  readonly buffers: ArrayBuffer[]
  lastGift: number
}

function sizeFor (length: number): number {
  const step = 2 ** Math.floor(Math.log2(Math.max(length, LEAST_BYTES))) / STEPS
  return Math.ceil(Math.max(length, LEAST_BYTES) / step) * step
}
