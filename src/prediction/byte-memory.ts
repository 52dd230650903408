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
  /** By length, the one that was given back last at the end. */
  readonly #free = new Map<number, ArrayBuffer[]>()
  #bytes = 0

  /** Holds whatever was there before. */
  take (length: number): Uint8Array<ArrayBuffer> {
    const size = sizeFor(length)
    const found = this.#free.get(size)?.pop()
    if (found !== undefined) this.#bytes -= size
    return new Uint8Array(found ?? new ArrayBuffer(size), 0, length)
  }

  /** @param memory as it was taken, that nobody reads or writes any more */
  give ({ buffer }: Uint8Array<ArrayBuffer>): void {
    const size = buffer.byteLength
    if (size > MOST_BYTES) return
    const free = this.#free.get(size) ?? []
    this.#free.delete(size)
    this.#free.set(size, free)
    free.push(buffer)
    this.#bytes += size
    while (this.#bytes > MOST_BYTES) this.#dropOldest()
  }

  #dropOldest (): void {
    const [oldest] = this.#free
    if (oldest === undefined) return
    const [size, free] = oldest
    if (free.pop() === undefined) this.#free.delete(size)
    else this.#bytes -= size
  }
}

function sizeFor (length: number): number {
  const step = 2 ** Math.floor(Math.log2(Math.max(length, LEAST_BYTES))) / STEPS
  return Math.ceil(Math.max(length, LEAST_BYTES) / step) * step
}
