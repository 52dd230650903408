import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import sharp, { type Sharp } from 'sharp'
import { createImageDecoder, type ImageDecoder } from '../../src/image/index.ts'
import type { ImageContract } from '../../src/registry/manifest.ts'

/** A folder of awkward images that lies beside the repository; tests that want it skip where it is missing. */
const SHARED_IMAGES = fileURLToPath(new URL('../../../shared/images/', import.meta.url))

/** For tap's `skip`: the reason, or false. */
export const noSharedImages = existsSync(SHARED_IMAGES) ? false : 'the folder ../shared/images is not there'

/** @param path below the shared folder of images, such as `exif/Landscape_1.jpg` */
export function sharedImage (path: string): Buffer {
  return readFileSync(SHARED_IMAGES + path)
}

/** RGB, stretched with the linear kernel, scaled in the graph, but for what is given. */
export function contractOf (changes: Partial<ImageContract> & Pick<ImageContract, 'width' | 'height'>): ImageContract {
  return { channels: 3, fit: 'fill', kernel: 'linear', scaling: { where: 'graph' }, ...changes }
}

/** A decoder with the server's default limits, but a time limit that a busy test machine does not reach. */
export function newDecoder (changes: Partial<Parameters<typeof createImageDecoder>[0]> = {}): ImageDecoder {
  return createImageDecoder({ maxPixels: 50_000_000, concurrency: 2, timeoutMs: 60_000, ...changes })
}

export interface Pixels { data: Buffer, width: number, height: number, channels: 1 | 2 | 3 | 4 }

/** A picture with soft slopes, edges and some noise, the same at every call; RGB. */
export function photo (width: number, height: number): Pixels {
  const data = Buffer.alloc(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const noise = (Math.imul(x * 7919 + y * 104_729, 2_654_435_761) >>> 27) - 16
      const isInside = Math.hypot(x / width - 0.6, y / height - 0.4) < 0.25
      data[(y * width + x) * 3] = clamp(255 * x / width + noise)
      data[(y * width + x) * 3 + 1] = clamp((isInside ? 220 : 40) + 0.5 * noise)
      data[(y * width + x) * 3 + 2] = clamp(255 * y / height - noise)
    }
  }
  return { data, width, height, channels: 3 }
}

function clamp (value: number): number {
  return Math.max(0, Math.min(255, Math.round(value)))
}

/** All pixels of one colour: one number for grey, two with alpha, three for RGB, four with alpha. */
export function plain (width: number, height: number, ...colour: number[]): Pixels {
  const data = Buffer.from(Array.from({ length: width * height }, () => colour).flat())
  return { data, width, height, channels: colour.length as Pixels['channels'] }
}

/** sharp on these pixels, to be encoded by the test. */
export function encode ({ data, width, height, channels }: Pixels): Sharp {
  const image = sharp(data, { raw: { width, height, channels } })
  return channels < 3 ? image.toColourspace('b-w') : image
}

/** The mean of |a − b| over all bytes: how many of 255 steps two pictures lie apart. */
export function meanDifference (a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) throw new Error(`Expected two pictures of the same size but received ${a.length} and ${b.length} bytes`)
  return a.reduce((sum, value, index) => sum + Math.abs(value - b[index]!), 0) / a.length
}

/** The largest |a − b|. */
export function largestDifference (a: Uint8Array, b: Uint8Array): number {
  return a.reduce((largest, value, index) => Math.max(largest, Math.abs(value - b[index]!)), 0)
}
