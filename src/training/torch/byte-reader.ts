import { BadWeightsError } from '../../errors.ts'

/** Longest line of text that a pickle may hold: the name of a module or of something in it. */
const MAX_LINE_BYTES = 128

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads little-endian values one after the other; never past the end. Slices share the caller's memory. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #offset = 0

  constructor (bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Bytes from the start to what is read next. */
  get offset (): number {
    return this.#offset
  }

  get remaining (): number {
    return this.#bytes.byteLength - this.#offset
  }

  uint8 (): number {
    return this.#view.getUint8(this.#advance(1))
  }

  uint16 (): number {
    return this.#view.getUint16(this.#advance(2), true)
  }

  int32 (): number {
    return this.#view.getInt32(this.#advance(4), true)
  }

  uint32 (): number {
    return this.#view.getUint32(this.#advance(4), true)
  }

  int64 (): bigint {
    return this.#view.getBigInt64(this.#advance(8), true)
  }

  /** @throws BadWeightsError before anything is allocated if there are fewer than `length` bytes left */
  take (length: number): Uint8Array {
    const start = this.#advance(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** @throws BadWeightsError if the bytes are not UTF-8 */
  text (length: number): string {
    const start = this.#offset
    const bytes = this.take(length)
    try {
      return decoder.decode(bytes)
    } catch {
      throw new BadWeightsError(`byte ${start}: a string is not UTF-8`)
    }
  }

  /** The text up to the next line feed, which is read too and left out. */
  line (): string {
    const window = this.#bytes.subarray(this.#offset, this.#offset + MAX_LINE_BYTES)
    const length = window.indexOf(0x0a)
    if (length < 0) throw new BadWeightsError(`byte ${this.#offset}: a name does not end within ${MAX_LINE_BYTES} bytes`)
    const text = this.text(length)
    this.#advance(1)
    return text
  }

  #advance (length: number): number {
    if (length > this.remaining) {
      throw new BadWeightsError(`byte ${this.#offset}: ends too early, ${length} more bytes are needed and ${this.remaining} are there`)
    }
    const start = this.#offset
    this.#offset += length
    return start
  }
}
