import t from 'tap'
import { UndecodableImageError } from '../../src/errors.ts'
import { pixelsToPng, scalePixels, type ImageDecoder } from '../../src/image/index.ts'
import { createImagePredictor, type ImageRequest } from '../../src/prediction/predict-image.ts'
import { Trace } from '../../src/prediction/trace.ts'
import type { RunOptions } from '../../src/registry/model-version.ts'
import { floats } from '../../src/tensorflow/index.ts'
import { contractOf } from '../support/images.ts'
import { fakeModels, fakeSignature } from '../support/server.ts'

type DecodeOptions = NonNullable<Parameters<ImageDecoder['decode']>[2]>
type Decode = (bytes: Uint8Array, options: DecodeOptions) => Promise<void>

function predictor (decode: Decode, seen: RunOptions[] = []) {
  const models = fakeModels({
    signatures: fakeSignature({ x: ['uint8', [-1, 2, 2, 3]] }, { y: ['float32', [-1, 2]] }),
    manifest: { format: 1, task: 'image-classification', signature: 'serving_default', input: 'x', output: 'y', image: contractOf({ width: 2, height: 2 }) },
    run: async (_signature, { x }, options = {}) => {
      seen.push(options)
      const rows = x!.shape[0]!
      return { outputs: { y: floats([rows, 2], Array.from({ length: rows }, (_, row) => [x!.data[row * 12] as number, 0]).flat()) }, queueMs: 0, inferMs: 0 }
    }
  })
  const predict = createImagePredictor({
    models,
    decoder: { decode: async (bytes, _contract, options = {}) => { await decode(bytes, options); return options.into! } },
    scale: scalePixels,
    toPng: pixelsToPng,
    fallback: { task: 'image-classification', configured: '', wellKnown: 'imagenet' }
  })
  return { models, predict }
}

function requestOf (count: number, signal = new AbortController().signal): ImageRequest {
  const images = Array.from({ length: count }, (_, index) => Uint8Array.of(index))
  return { images, model: undefined, version: undefined, topK: 5, showInput: false, signal, trace: new Trace(0) }
}

t.test('images are decoded at once, each into its own row, and run together', async t => {
  const seen: RunOptions[] = []
  let decoding = 0
  let most = 0
  const { predict, models } = predictor(async ([number], { into }) => {
    most = Math.max(most, ++decoding)
    await new Promise(resolve => { setImmediate(resolve) })
    into!.fill(10 + number!)
    decoding--
  }, seen)
  const predictions = await predict(requestOf(3))
  t.strictSame(predictions.map(({ all_probabilities: [first] }) => first), [10, 11, 12])
  t.equal(most, 3)
  t.strictSame(seen.map(({ outputs }) => outputs), [['y']], 'one run, of the ranked output only')
  t.equal(models.released, 1)
})

t.test('the first image that can not be decoded ends the request, names itself and releases the model', async t => {
  const { predict, models } = predictor(async ([number]) => { if (number === 1) throw new UndecodableImageError('cut off') })
  await t.rejects(predict(requestOf(3)), { code: 'SERVE_UNDECODABLE_IMAGE', message: 'Image 2 of 3: The image can not be decoded: cut off' })
  await t.rejects(predictor(async () => { throw new UndecodableImageError('cut off') }).predict(requestOf(1)), { message: 'The image can not be decoded: cut off' })
  t.equal(models.released, 1)
})

t.test('decoder and run both get the request’s signal', async t => {
  const { signal } = new AbortController()
  const seen: RunOptions[] = []
  const signals: unknown[] = []
  const { predict } = predictor(async (_bytes, options) => { signals.push(options.signal) }, seen)
  await predict(requestOf(2, signal))
  t.ok([...signals, seen[0]?.signal].every(given => given === signal))
  t.equal(signals.length, 2)
})
