import { createImageDecoder, type ImageDecoder } from '../../image/index.ts'

/** Large photos and slow disks are no reason to fail: a person waits, not a client. */
const OPTIONS = { concurrency: 0, maxPixels: 200_000_000, timeoutMs: 60_000 }

/** The very code that decodes photos when a model is served, with other bounds. */
export function createPhotoDecoder (): ImageDecoder {
  return createImageDecoder(OPTIONS)
}
