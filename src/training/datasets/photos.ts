import { readFile } from 'node:fs/promises'
import { DatasetError } from '../../errors.ts'
import type { ImageContract } from '../../registry/manifest.ts'
import type { LabelledFile } from './class-folders.ts'
import type { Dataset } from './dataset.ts'
import { createPhotoDecoder } from './photo-decoder.ts'

/**
 * Photos that stay on the disk: each batch is decoded when it is asked for, by the very code that decodes photos when the model is served.
 * Inputs are uint8 [rows, height, width, channels], targets int32 [rows].
 *
 * @throws DatasetError from `batch`, if a photo can't be read
 */
export function photoDataset (files: readonly LabelledFile[], contract: ImageContract): Dataset {
  const decoder = createPhotoDecoder()
  const { height, width, channels } = contract
  const decode = async ({ path }: LabelledFile): Promise<Uint8Array> => {
    try {
      return await decoder.decode(await readFile(path), contract)
    } catch (error) {
      throw new DatasetError(`${path}: ${(error as Error).message}`)
    }
  }
  return {
    rows: files.length,
    async batch (rows) {
      const chosen = Array.from(rows, row => files[row]!)
      const photos = await Promise.all(chosen.map(decode))
      const pixels = new Uint8Array(rows.length * height * width * channels)
      photos.forEach((photo, index) => { pixels.set(photo, index * photo.length) })
      return {
        inputs: [{ dtype: 'uint8', shape: [rows.length, height, width, channels], data: pixels }],
        targets: [{ dtype: 'int32', shape: [rows.length], data: Int32Array.from(chosen, ({ label }) => label) }]
      }
    }
  }
}
