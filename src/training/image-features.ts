import { readFile } from 'node:fs/promises'
import { stackRows } from '../batching/rows.ts'
import type { ImageDecoder } from '../image/index.ts'
import type { LabelledFile } from './datasets/class-folders.ts'
import { createPhotoDecoder } from './datasets/photo-decoder.ts'
import type { ImageBase } from './image-base.ts'
import type { ImageContract } from '../registry/manifest.ts'
import type { TensorValue } from '../tensorflow/index.ts'

/** A photo that could not be used, and why. */
export interface SkippedFile {
  readonly path: string
  readonly reason: string
}

/** What a base makes of photos. */
export interface PhotoFeatures {
  /** float32 [rows, features]; rows are 0 if no photo could be read. */
  readonly features: TensorValue
  /** int32 [rows]. */
  readonly labels: TensorValue
  readonly skipped: readonly SkippedFile[]
}

const BATCH_SIZE = 32

/**
 * Runs photos through a base, once. They are decoded by the very code that decodes them when the model is served, the next ones while the
 * base works on these.
 *
 * @param onProgress told how many photos are done; throws to stop
 */
export async function extractFeatures (base: ImageBase, files: readonly LabelledFile[], onProgress: (done: number) => void = () => {}): Promise<PhotoFeatures> {
  const decoder = createPhotoDecoder()
  const parts: TensorValue[] = [{ dtype: 'float32', shape: [0, base.featureCount], data: new Float32Array(0) }]
  const labels: number[] = []
  const skipped: SkippedFile[] = []
  const decode = async (start: number): Promise<DecodedPhotos> => decodePhotos(decoder, files.slice(start, start + BATCH_SIZE), base.contract)
  let next = decode(0)
  for (let start = 0; start < files.length; start += BATCH_SIZE) {
    const batch = await next
    if (start + BATCH_SIZE < files.length) next = decode(start + BATCH_SIZE)
    next.catch(() => {}) // a failed run comes first; else the error is thrown when the batch is awaited
    if (batch.labels.length > 0) parts.push(await base.features(batch.pixels))
    labels.push(...batch.labels)
    skipped.push(...batch.skipped)
    onProgress(Math.min(start + BATCH_SIZE, files.length))
  }
  return { features: stackRows(parts), labels: { dtype: 'int32', shape: [labels.length], data: Int32Array.from(labels) }, skipped }
}

interface DecodedPhotos {
  /** uint8 [N, H, W, C]. */
  readonly pixels: TensorValue
  readonly labels: readonly number[]
  readonly skipped: readonly SkippedFile[]
}

async function decodePhotos (decoder: ImageDecoder, files: readonly LabelledFile[], contract: ImageContract): Promise<DecodedPhotos> {
  const { height, width, channels } = contract
  const skipped: SkippedFile[] = []
  const rows = await Promise.all(files.map(async ({ path }) => {
    try {
      return await decoder.decode(await readFile(path), contract)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      skipped.push({ path, reason: error.message })
      return undefined
    }
  }))
  const kept = rows.flatMap((row, index) => row === undefined ? [] : [{ row, label: files[index]!.label }])
  const data = new Uint8Array(kept.length * height * width * channels)
  kept.forEach(({ row }, index) => { data.set(row, index * row.length) })
  return { pixels: { dtype: 'uint8', shape: [kept.length, height, width, channels], data }, labels: kept.map(({ label }) => label), skipped }
}
