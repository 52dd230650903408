import { WrongTaskError } from '../errors.ts'
import type { ImageDecoder } from '../image/index.ts'
import type { ImageContract } from '../registry/manifest.ts'
import type { ModelVersion } from '../registry/model-version.ts'
import type { DType, NumericArray, TensorValue, ValueDType } from '../tensorflow/index.ts'
import { ByteMemory } from './byte-memory.ts'
import { requestedModel, type DefaultModel } from './choose-model.ts'
import { withPlace, type Models, type Place, type Terms } from './models.ts'
import { rankRows, type Ranking } from './rank.ts'
import { runRows } from './row-runs.ts'
import { FLOAT16, BFLOAT16, toFloatBits } from './tensor-json/small-floats.ts'

export interface ImagePredictorOptions {
  readonly models: Models
  readonly decoder: Pick<ImageDecoder, 'decode'>
  /** Scales uint8 pixels on the host, as the contract says. */
  readonly scale: (pixels: Uint8Array, contract: ImageContract) => Float32Array
  readonly toPng: (pixels: Uint8Array, width: number, height: number, channels: 1 | 3) => Promise<Uint8Array>
  readonly fallback: DefaultModel
}

export interface ImageRequest extends Terms {
  /** Encoded files, one or more. */
  readonly images: readonly Uint8Array[]
  readonly model: string | undefined
  readonly version: number | undefined
  readonly topK: number
  /** Gives back what the model saw. */
  readonly showInput: boolean
}

export interface ImagePrediction extends Ranking {
  readonly model: { readonly name: string, readonly version: number }
  /** The model's pixels before any scaling, as a PNG data URL. */
  readonly input?: string
}

/**
 * Images in, rankings out, in the same order.
 *
 * @throws errors of the registry, the decoder (with the image's number, where there are several), WrongTaskError, InferenceError
 */
export type ImagePredictor = (request: ImageRequest) => Promise<ImagePrediction[]>

export function createImagePredictor ({ models, fallback, ...given }: ImagePredictorOptions): ImagePredictor {
  const tools = { ...given, memory: new ByteMemory() }
  return async request => {
    const model = requestedModel(request.model, fallback, models)
    return await withPlace(models, model, request.version, request, async place => await predict(place, request, tools))
  }
}

type Tools = Omit<ImagePredictorOptions, 'models' | 'fallback'> & { readonly memory: ByteMemory }

async function predict ({ version, terms }: Place, request: ImageRequest, tools: Tools): Promise<ImagePrediction[]> {
  const { images, signal, trace, topK } = request
  const { manifest, model } = version
  trace.serves(version, images.length)
  if (manifest.task !== 'image-classification' || manifest.image === undefined) throw new WrongTaskError(model, manifest.task, 'image-classification')
  const contract = manifest.image
  const pixels = await trace.time('decode', async () => await decodeAll(images, contract, tools, { signal, line: model }))
  const input = trace.timeNow('decode', () => toTensor(pixels, images.length, contract, version, tools))
  const scores = await runRows({ version, signature: version.pixels, inputs: { [manifest.input ?? '']: input }, rows: images.length, terms, trace })
  const predictions: ImagePrediction[] = trace.timeNow('encode', () => {
    const rankings = rankRows(scores, images.length, { model, activation: manifest.activation, labels: manifest.labels, topK })
    return rankings.map(ranking => ({ ...ranking, model: { name: model, version: version.version } }))
  })
  if (request.showInput) await trace.time('encode', async () => { await addInputs(predictions, pixels, contract, tools) })
  tools.memory.give(pixels) // after an error a decode may still write there
  return predictions
}

/** All images at once, each straight into its row; how many really run at once is the decoder's to bound. */
async function decodeAll (images: readonly Uint8Array[], contract: ImageContract, { decoder, memory }: Tools, { signal, line }: { signal: AbortSignal, line: string }): Promise<Uint8Array<ArrayBuffer>> {
  const pixels = memory.take(images.length * rowBytes(contract))
  await Promise.all(images.map(async (bytes, row) => {
    try {
      await decoder.decode(bytes, contract, { signal, line, into: rowOf(pixels, row, contract) })
    } catch (error) {
      if (images.length > 1 && error instanceof Error && !signal.aborted) error.message = `Image ${row + 1} of ${images.length}: ${error.message}`
      throw error
    }
  }))
  return pixels
}

function toTensor (pixels: Uint8Array, rows: number, contract: ImageContract, { manifest, signatures, pixels: inGraph }: ModelVersion, { scale }: Tools): TensorValue {
  const dtype = signatures[manifest.signature ?? '']?.inputs[manifest.input ?? '']?.dtype
  const shape = [rows, contract.height, contract.width, contract.channels]
  if (contract.scaling.where === 'graph' || inGraph !== undefined) return { dtype: 'uint8', shape, data: pixels }
  const floats = scale(pixels, contract)
  const cast = dtype === undefined ? undefined : CASTS[dtype]
  return cast === undefined ? { dtype: 'float32', shape, data: floats } : { dtype: dtype as ValueDType, shape, data: cast(floats) }
}

/** From float32 to the other types that an image input may have. */
const CASTS: Partial<Record<DType, (floats: Float32Array) => NumericArray>> = {
  float64: floats => Float64Array.from(floats),
  float16: floats => Uint16Array.from(floats, value => toFloatBits(value, FLOAT16)),
  bfloat16: floats => Uint16Array.from(floats, value => toFloatBits(value, BFLOAT16))
}

async function addInputs (predictions: ImagePrediction[], pixels: Uint8Array, contract: ImageContract, tools: Tools): Promise<void> {
  await Promise.all(predictions.map(async (prediction, row) => Object.assign(prediction, { input: await dataUrl(rowOf(pixels, row, contract), contract, tools) })))
}

async function dataUrl (pixels: Uint8Array, { width, height, channels }: ImageContract, { toPng }: Tools): Promise<string> {
  const png = await toPng(pixels, width, height, channels)
  return `data:image/png;base64,${Buffer.from(png.buffer, png.byteOffset, png.byteLength).toString('base64')}`
}

function rowBytes ({ width, height, channels }: ImageContract): number {
  return width * height * channels
}

function rowOf (pixels: Uint8Array, row: number, contract: ImageContract): Uint8Array {
  return pixels.subarray(row * rowBytes(contract), (row + 1) * rowBytes(contract))
}
