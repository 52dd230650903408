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
const SMALL_CAPACITY = 22
/** An offset string's size has 30 bits. */
const MAX_STRING_BYTES = 2 ** 30 - 1

/**
 * Lays strings out in one block: the elements, then the bytes of those that are too long to stand inside theirs, found by their
 * offset. TensorFlow so frees all of it with the tensor, whoever still shares it; nothing is allocated apart.
 *
 * @throws RangeError if the strings together are over 4 GiB or one is over 1 GiB
 */
export function encodeStrings (strings: readonly Uint8Array[]): Uint8Array {
  const long = strings.reduce((sum, { byteLength }) => byteLength > SMALL_CAPACITY ? sum + byteLength : sum, 0)
  const total = strings.length * ELEMENT_BYTES + long
  if (total > 2 ** 32 - 1) throw new RangeError(`Expected strings of at most 4 GiB together but received ${total} bytes`)
  const block = new Uint8Array(total)
  const view = new DataView(block.buffer)
  let end = strings.length * ELEMENT_BYTES
  strings.forEach((string, index) => {
    const at = index * ELEMENT_BYTES
    if (string.byteLength <= SMALL_CAPACITY) {
      block[at] = string.byteLength << 2 | SMALL
      block.set(string, at + 1)
      return
    }
    if (string.byteLength > MAX_STRING_BYTES) throw new RangeError(`Expected strings of at most 1 GiB but received ${string.byteLength} bytes`)
    view.setUint32(at, (string.byteLength << 2 | OFFSET) >>> 0, true)
    view.setUint32(at + 4, end - at, true)
    view.setUint32(at + 8, 1, true)
    block.set(string, end)
    end += string.byteLength
  })
  return block
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
