import { libc } from './library.ts'
import type { Pointer } from './c-api.ts'

/**
 * String tensors hold one TF_TString of 24 bytes for each element, in one of four forms, told apart by the lowest two bits of its
 * first byte; the size stands above them.
 *
 * @see tsl/platform/ctstring_internal.h
 */
const ELEMENT_BYTES = 24
const SMALL = 0
const LARGE = 1
const OFFSET = 2
const VIEW = 3n
const SMALL_CAPACITY = 22
/** An offset string's size has 30 bits. */
const MAX_STRING_BYTES = 2 ** 30 - 1
/** An offset has 32. */
const MAX_BLOCK_BYTES = 2 ** 32 - 1

/** Where strings go in a tensor's memory. */
interface StringLayout {
  /** The elements, which hold the short strings. */
  readonly elements: Uint8Array
  /** The strings that stand behind the elements, and where. */
  readonly long: readonly { readonly at: number, readonly bytes: Uint8Array }[]
  readonly sizeBytes: number
}

/**
 * Lays strings out in one block: the elements, then the bytes of those that are too long to stand inside theirs, found by their
 * offset. TensorFlow so frees all of it with the tensor, whoever still shares it; nothing is allocated apart.
 *
 * @throws RangeError if the strings together are over 4 GiB or one is over 1 GiB
 */
export function layOutStrings (strings: readonly Uint8Array[]): StringLayout {
  const elements = new Uint8Array(strings.length * ELEMENT_BYTES)
  const view = new DataView(elements.buffer)
  const long: { at: number, bytes: Uint8Array }[] = []
  let end = elements.length
  strings.forEach((bytes, index) => {
    const at = index * ELEMENT_BYTES
    const { byteLength } = bytes
    if (byteLength <= SMALL_CAPACITY) {
      elements[at] = byteLength << 2 | SMALL
      elements.set(bytes, at + 1)
      return
    }
    if (byteLength > MAX_STRING_BYTES) throw new RangeError(`Expected strings of at most 1 GiB but received ${byteLength} bytes`)
    if (end + byteLength > MAX_BLOCK_BYTES) throw new RangeError('Expected strings of at most 4 GiB together but received more')
    view.setUint32(at, (byteLength << 2 | OFFSET) >>> 0, true)
    view.setUint32(at + 4, end - at, true)
    view.setUint32(at + 8, 1, true)
    long.push({ at: end, bytes })
    end += byteLength
  })
  return { elements, long, sizeBytes: end }
}

/** Makes an element that of a string which stays where it is, at `address`. */
export function writeViewElement (element: BigUint64Array, address: bigint, byteLength: number): void {
  element[0] = BigInt(byteLength) << 2n | VIEW
  element[1] = address
}

/** Copies `count` strings out of a tensor's data. */
export function decodeStrings (data: Pointer, count: number): Uint8Array[] {
  if (count === 0 || data === null) return []
  const elements = new Uint8Array(count * ELEMENT_BYTES)
  libc().memcpy(elements, data, elements.byteLength)
  const view = new DataView(elements.buffer)
  return Array.from({ length: count }, (_, index) => decodeString(elements, view, index * ELEMENT_BYTES, data))
}

function decodeString (elements: Uint8Array, view: DataView, at: number, data: bigint): Uint8Array {
  const form = elements[at]! & 3
  if (form === SMALL) return elements.slice(at + 1, at + 1 + (elements[at]! >> 2))
  const size = form === OFFSET ? view.getUint32(at, true) >>> 2 : Number(view.getBigUint64(at, true) >> 2n)
  const bytes = new Uint8Array(size)
  if (size > 0) libc().memcpy(bytes, longStringAddress(form, view, at, data), size)
  return bytes
}

function longStringAddress (form: number, view: DataView, at: number, data: bigint): bigint {
  if (form === OFFSET) return data + BigInt(at) + BigInt(view.getUint32(at + 4, true))
  return view.getBigUint64(at + (form === LARGE ? 16 : 8), true)
}
