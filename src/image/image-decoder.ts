import { placesFor } from '../batching/places.ts'
import { abortError, UndecodableImageError } from '../errors.ts'
import type { ImageContract } from '../registry/manifest.ts'
import { DecodeSlots, type Sharing } from './decode-slots.ts'
import { sniffFormat } from './formats.ts'
import { kindOf, openJpegGraph } from './jpeg-graph.ts'
import { placePixels } from './place-pixels.ts'
import { planPlainJpeg, readPixels, readPlanned, type ReadJob, type ReadLimits } from './read-pixels.ts'

interface ImageDecoderOptions extends ReadLimits {
  /** Images decoded at once, those that share a run counted once; 0: one for each core, and one more to go on with while an event loop that is busy takes a result. */
  concurrency: number
}

interface DecodeOptions {
  /** Aborted: leaves the line, or the decode that has begun is forgotten. */
  signal?: AbortSignal
  /** Whose image it is, a model's name: turns are shared fairly between them. */
  line?: string
  /** The row's place in the batch: height × width × channels bytes. Whole when the promise is fulfilled; if it is rejected, something may still be written there. */
  into?: Uint8Array
}

export interface ImageDecoder {
  /**
   * @param bytes the encoded file; must not change before the promise settles
   * @returns uint8 [height, width, channels], row-major, 0–255, sRGB or grey as the contract says; `into` where it was given, else a new array
   * @throws UnsupportedImageError (415), UndecodableImageError (422; also past `timeoutMs`, counted from its turn), TooManyPixelsError (413),
   *   ClientClosedError or the signal's own reason when that aborts; for a JPEG LibraryNotFoundError, LibraryUnusableError where there is no TensorFlow
   */
  decode (bytes: Uint8Array, contract: ImageContract, options?: DecodeOptions): Promise<Uint8Array>
  /** Images that are being decoded or wait for their turn. */
  readonly pending: number
}

/**
 * The way from a file's bytes to a model's pixels, for serving and training alike. Decoding runs on libuv's threads, never more than `concurrency`
 * at once; the rest waits in line. A decode that runs over its time is answered at once, but keeps its slot until its thread is back.
 */
export function createImageDecoder ({ concurrency, ...limits }: ImageDecoderOptions): ImageDecoder {
  const slots = new DecodeSlots(concurrency || placesFor())
  return {
    get pending () {
      return slots.pending
    },
    async decode (bytes, contract, { signal, into, line = '' } = {}) {
      const rowBytes = contract.height * contract.width * contract.channels
      if (into !== undefined && into.length !== rowBytes) throw new Error(`Expected a row of ${rowBytes} bytes but received ${into.length}. This is a bug.`)
      const row = into ?? new Uint8Array(rowBytes)
      const isJpeg = sniffFormat(bytes) === 'JPEG' // what can't be read needs no turn
      if (isJpeg) openJpegGraph() // a process's first takes a third of a second, which is not to count as this file's
      const planned = isJpeg ? planPlainJpeg(bytes, contract, limits) : undefined
      const release = await slots.acquire(line, { signal, sharing: planned && sharingOf(planned) })
      const reading = (planned === undefined ? readPixels(bytes, contract, limits) : readPlanned(bytes, planned, row)).finally(release)
      const { picture, plan } = await inTime(reading, limits.timeoutMs, signal)
      placePixels(picture, plan, contract, row)
      return row
    }
  }
}

/** Pixels of the photos that share a slot, a few milliseconds' work: whoever waits for the slot waits for all of them. */
const SHARED_PIXELS = 1_250_000

/** Photos that TensorFlow decodes, and nothing else, can go in one run. */
function sharingOf ({ header: { size, conversion }, shrink }: ReadJob): Sharing | undefined {
  if (shrink === undefined || conversion !== 'none') return undefined
  return { kind: kindOf(shrink), part: size.width * size.height / SHARED_PIXELS }
}

/** Settles as `work` does, or rejects as soon as the time is up or the signal aborts; `work` itself then goes on unheard. */
function inTime<T> (work: Promise<T>, timeoutMs: number, signal: AbortSignal | undefined): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => { settle(); reject(abortError(signal as AbortSignal)) }
    const timer = setTimeout(() => { settle(); reject(new UndecodableImageError(`it takes longer than the ${timeoutMs} ms allowed`)) }, timeoutMs)
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    work.finally(settle).then(resolve, reject)
  })
}
