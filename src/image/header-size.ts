import type { ImageFormat } from './formats.ts'

export interface Size { width: number, height: number }

/**
 * The sides that a file's header claims, read before any native code sees the file: libvips calls absurd ones "corrupt" (2147483647 in a PNG),
 * but they are too large, not broken.
 *
 * @returns undefined for the formats whose sides are 16-bit numbers (24 for WebP), which libvips reads well, and where the header is cut off
 */
export function headerSize (format: ImageFormat, bytes: Uint8Array): Size | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    switch (format) {
      case 'PNG': return { width: view.getUint32(16), height: view.getUint32(20) }
      case 'TIFF': return tiffSize(view)
      case 'AVIF': return avifSize(bytes, view)
      case 'JPEG':
      case 'GIF':
      case 'WebP': return undefined
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined // the header ends too early
    throw error
  }
}

const TIFF_WIDTH = 256
const TIFF_HEIGHT = 257

/** From the first directory of a classic TIFF; a BigTIFF is left to libvips. */
function tiffSize (view: DataView): Size | undefined {
  const little = view.getUint8(0) === 0x49
  if (view.getUint16(2, little) !== 42) return undefined
  const directory = view.getUint32(4, little)
  const size: Partial<Size> = {}
  for (let entry = directory + 2, left = view.getUint16(directory, little); left > 0; left--, entry += 12) {
    const tag = view.getUint16(entry, little)
    const isShort = view.getUint16(entry + 2, little) === 3
    const value = isShort ? view.getUint16(entry + 8, little) : view.getUint32(entry + 8, little)
    if (tag === TIFF_WIDTH) size.width = value
    if (tag === TIFF_HEIGHT) size.height = value
  }
  return size.width === undefined || size.height === undefined ? undefined : { width: size.width, height: size.height }
}

const AVIF_HEAD_BYTES = 65_536

/** The largest `ispe` property (an item's sides) of the `meta` box, which stands before the picture's own bytes. */
function avifSize (bytes: Uint8Array, view: DataView): Size | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, AVIF_HEAD_BYTES))
  const start = head.indexOf('meta')
  if (start < 4) return undefined
  const meta = head.subarray(0, start - 4 + view.getUint32(start - 4))
  let largest: Size | undefined
  for (let at = meta.indexOf('ispe', start); at !== -1; at = meta.indexOf('ispe', at + 4)) {
    const size = { width: view.getUint32(at + 8), height: view.getUint32(at + 12) }
    if (largest === undefined || size.width * size.height > largest.width * largest.height) largest = size
  }
  return largest
}
