import { UnknownSignatureError } from '../errors.ts'
import type { ModelVersion } from '../registry/model-version.ts'
import type { Signature } from '../tensorflow/index.ts'
import { withPlace, type Models, type Terms } from './models.ts'
import { inTurns } from './tensor-json/in-turns.ts'
import type { JsonText } from './tensor-json/json-pieces.ts'
import { readPredictBody, writePredictReply } from './tensor-json/predict-body.ts'

export interface TensorRequest extends Terms {
  readonly model: string
  readonly version: number | undefined
  /** JSON, as TensorFlow Serving's `:predict` takes it. */
  readonly body: Uint8Array
}

/**
 * One request of any signature, JSON in and out.
 *
 * @returns the reply's JSON
 * @throws errors of the registry, BadRequestError, BadTensorError, UnknownSignatureError
 */
export type TensorPredictor = (request: TensorRequest) => Promise<JsonText>

export function createTensorPredictor (models: Models): TensorPredictor {
  return async ({ model, version, body, ...given }) => await withPlace(models, model, version, given, async ({ version: served, terms }) => {
    const { trace, signal } = given
    const { form, signature, inputs } = await trace.time('decode', () => inTurns(readPredictBody(body, name => signatureOf(served, name)), signal))
    trace.rows = rowsOf(inputs)
    const result = await served.run(signature.name, inputs, terms)
    trace.add('queue', result.queueMs)
    trace.add('infer', result.inferMs)
    return await trace.time('encode', () => inTurns(writePredictReply(form, result.outputs), signal))
  })
}

/** The signature named, else the manifest's. */
function signatureOf ({ model, manifest, signatures }: ModelVersion, name: string | undefined): Signature {
  const wanted = name ?? manifest.signature ?? 'serving_default'
  const signature = Object.hasOwn(signatures, wanted) ? signatures[wanted] : undefined
  if (signature === undefined) throw new UnknownSignatureError(wanted.slice(0, 100), model, Object.keys(signatures).join(', '))
  return signature
}

/** How many examples the inputs hold, as far as one can tell: their first side, 1 without one. */
function rowsOf (inputs: Readonly<Record<string, { readonly shape: readonly number[] }>>): number {
  return Object.values(inputs)[0]?.shape[0] ?? 1
}
