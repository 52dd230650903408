import koffi from 'koffi'
import { api, libc } from './library.ts'
import type { Pointer } from './c-api.ts'

/** C's TF_Buffer starts with a pointer and a length. */
const HEADER_BYTES = 16

/**
 * Lets C fill a TF_Buffer and copies what it wrote.
 *
 * @param fill writes into the buffer, or throws
 */
export function readBuffer (fill: (buffer: Pointer) => void): Uint8Array {
  const c = api()
  const buffer = c.TF_NewBuffer()
  try {
    fill(buffer)
    return copyOf(buffer)
  } finally {
    c.TF_DeleteBuffer(buffer)
  }
}

/** As `readBuffer`, for a call off the event loop. */
export async function readBufferOffLoop (fill: (buffer: Pointer) => Promise<void>): Promise<Uint8Array> {
  const c = api()
  const buffer = c.TF_NewBuffer()
  try {
    await fill(buffer)
    return copyOf(buffer)
  } finally {
    c.TF_DeleteBuffer(buffer)
  }
}

/** Lends bytes to C as a TF_Buffer during one call. */
export function withBuffer<Result> (bytes: Uint8Array, use: (buffer: Pointer) => Result): Result {
  const c = api()
  const buffer = c.TF_NewBufferFromString(bytes, bytes.byteLength)
  try {
    return use(buffer)
  } finally {
    c.TF_DeleteBuffer(buffer)
  }
}

function copyOf (buffer: Pointer): Uint8Array {
  const header = new BigUint64Array(HEADER_BYTES / 8)
  libc().memcpy(header, buffer, HEADER_BYTES)
  const bytes = new Uint8Array(Number(header[1]!))
  if (bytes.byteLength > 0) libc().memcpy(bytes, header[0]!, bytes.byteLength)
  return bytes
}

/** An array of C pointers. */
export function pointerArray (pointers: readonly Pointer[]): BigUint64Array {
  return BigUint64Array.from(pointers, pointer => pointer ?? 0n)
}

/** The address of JavaScript's own memory, valid while the caller keeps the array referenced. */
export function addressOf (memory: NodeJS.TypedArray): bigint {
  return koffi.address(memory)
}
