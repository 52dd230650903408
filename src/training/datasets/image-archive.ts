import { createReadStream } from 'node:fs'
import { basename, dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import { DatasetError } from '../../errors.ts'
import { createImageDecoder } from '../../image/index.ts'
import type { ImageContract } from '../../registry/manifest.ts'
import type { LabelledImages } from './idx.ts'
import { allocateImages, type ImageSize } from './labelled-images.ts'

/** Of one image; a larger one is none of a small set's. */
const MAX_IMAGE_BYTES = 2 ** 24
/** Images that are decoded while the next ones are read. */
const IN_FLIGHT = 64
const DECODER = { concurrency: 0, maxPixels: 2 ** 26, timeoutMs: 60_000 }

/**
 * Decodes all images of a tar archive of class folders (`…/<class>/<name>.jpg`), packed with gzip or not, once. Nothing is unpacked to the disk.
 *
 * @param classes folder names; a file in any other folder is left out
 * @param size what every image is brought to
 * @throws DatasetError if the archive is broken, a class has no image, or one of them can't be decoded
 */
export async function readImageArchive (path: string, classes: readonly string[], size: ImageSize): Promise<LabelledImages> {
  const contract: ImageContract = { ...size, channels: size.channels as 1 | 3, fit: 'fill', kernel: 'linear', scaling: { where: 'graph' } }
  const decoder = createImageDecoder(DECODER)
  const rows: { label: number, pixels: Promise<Uint8Array> }[] = []
  for await (const { name, bytes } of filesOf(path)) {
    const label = classes.indexOf(basename(dirname(name)))
    if (label < 0 || basename(name).startsWith('.')) continue
    const pixels = decoder.decode(bytes, contract).catch((error: Error) => { throw new DatasetError(`${path}, ${name}: ${error.message}`) })
    pixels.catch(() => {}) // awaited below, in its turn
    rows.push({ label, pixels })
    await rows.at(-IN_FLIGHT)?.pixels
  }
  const missing = classes.find((_, label) => rows.every(row => row.label !== label))
  if (missing !== undefined) throw new DatasetError(`${path} has no images in a folder "${missing}"`)
  const { images, labels, pixels, classes: numbers } = allocateImages(rows.length, size)
  const rowSize = size.height * size.width * size.channels
  for (const [row, decoded] of rows.entries()) {
    pixels.set(await decoded.pixels, row * rowSize)
    numbers[row] = decoded.label
  }
  return { images, labels }
}

/** @throws DatasetError */
async function * filesOf (path: string): AsyncGenerator<{ name: string, bytes: Uint8Array }> {
  const archive = extract()
  const failed = (path.endsWith('.tar') ? pipeline(createReadStream(path), archive) : pipeline(createReadStream(path), createGunzip(), archive)).then(() => undefined, (error: Error) => error)
  try {
    for await (const entry of archive) {
      const { name, type, size = 0 } = entry.header
      if (type !== 'file') {
        entry.resume()
        continue
      }
      if (size > MAX_IMAGE_BYTES) throw new DatasetError(`${path}, ${name}: ${size} bytes are too many for an image`)
      const parts: Uint8Array[] = []
      for await (const part of entry) parts.push(part as Uint8Array)
      yield { name, bytes: Buffer.concat(parts) }
    }
  } catch (error) {
    throw error instanceof Error && 'code' in error && error.code === 'TRAIN_BAD_DATASET' ? error : new DatasetError(`${path} can not be read: ${(error as Error).message}`)
  }
  const error = await failed
  if (error !== undefined) throw new DatasetError(`${path} can not be read: ${error.message}`)
}
