import type { ImageDecoder } from '../../image/index.ts'
import { pixelsToPng, scalePixels } from '../../image/index.ts'
import { createImagePredictor } from '../../prediction/predict-image.ts'
import { Trace } from '../../prediction/trace.ts'
import type { ImageContract } from '../../registry/manifest.ts'
import { WrongTaskError } from '../../errors.ts'
import type { ServedAlone } from './served-alone.ts'
import type { Subject } from './subject.ts'

/** An image's features: the patches of a grid. One that is not there has the image's mean colour. */
export interface ImageSubject extends Subject {
  readonly contract: ImageContract
  /** uint8 [height, width, channels], as the model sees it. */
  readonly pixels: Uint8Array
  /** Patches of a side. */
  readonly grid: number
}

/** @param photo an encoded file @throws WrongTaskError if the model takes no images, or what the decoder throws */
export async function imageSubject ({ version, models }: ServedAlone, decoder: ImageDecoder, photo: Uint8Array, grid: number): Promise<ImageSubject> {
  const { image: contract, task } = version.manifest
  if (contract === undefined) throw new WrongTaskError(version.model, task, 'image-classification')
  const pixels = await decoder.decode(photo, contract)
  const mean = meanColour(pixels, contract.channels)
  // What is shown to the model is pixels already: the predictor's decoder only hands them on.
  const predict = createImagePredictor({
    models,
    decoder: { decode: async (bytes, _contract, { into = new Uint8Array(bytes.length) } = {}) => { into.set(bytes); return into } },
    scale: scalePixels,
    toPng: pixelsToPng,
    fallback: { task: 'image-classification', configured: version.model, wellKnown: version.model }
  })
  return {
    contract,
    pixels,
    grid,
    features: Array.from({ length: grid * grid }, (_, patch) => `patch ${patch % grid + 1}, ${Math.floor(patch / grid) + 1}`),
    predict: async rows => {
      const images = rows.map(present => masked(pixels, contract, grid, present, mean))
      return await predict({ images, model: version.model, version: undefined, topK: 1, showInput: false, signal: new AbortController().signal, trace: new Trace(0) })
    }
  }
}

function meanColour (pixels: Uint8Array, channels: number): number[] {
  const sums = new Array<number>(channels).fill(0)
  pixels.forEach((value, index) => { sums[index % channels]! += value })
  return sums.map(sum => Math.round(sum * channels / pixels.length))
}

function masked (pixels: Uint8Array, { width, height, channels }: ImageContract, grid: number, present: Uint8Array, colour: readonly number[]): Uint8Array {
  const shown = Uint8Array.from(pixels)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (present[Math.floor(y * grid / height) * grid + Math.floor(x * grid / width)] === 1) continue
      shown.set(colour, (y * width + x) * channels)
    }
  }
  return shown
}
