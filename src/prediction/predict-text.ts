import { stackRows, takeRows } from '../batching/rows.ts'
import { InferenceError, WrongTaskError } from '../errors.ts'
import type { TextContract } from '../registry/manifest.ts'
import type { ModelVersion } from '../registry/model-version.ts'
import type { TensorValue } from '../tensorflow/index.ts'
import { inLengthBuckets, type EncodedTexts, type LengthBucket } from '../text/index.ts'
import { requestedModel, type DefaultModel } from './choose-model.ts'
import { withPlace, type Models, type Place, type Terms } from './models.ts'
import { rankRows, type Ranking } from './rank.ts'
import { runRows } from './row-runs.ts'
import type { TokenizerOf } from './tokenizers.ts'

export interface TextPredictorOptions {
  readonly models: Models
  readonly tokenizerOf: TokenizerOf
  readonly fallback: DefaultModel
}

export interface TextRequest extends Terms {
  /** One or more. */
  readonly texts: readonly string[]
  readonly model: string | undefined
  readonly version: number | undefined
  readonly topK: number
}

export interface TextPrediction extends Ranking {
  readonly model: { readonly name: string, readonly version: number }
  readonly text: {
    /** Tokens of the text before it was cut. */
    readonly tokens: number
    /** The model did not see all of it. */
    readonly truncated: boolean
    /** Tokens that the vocabulary lacks. */
    readonly unknown: number
  }
}

/**
 * Texts in, rankings out, in the same order.
 *
 * @throws errors of the registry, WrongTaskError, InferenceError
 */
export type TextPredictor = (request: TextRequest) => Promise<TextPrediction[]>

export function createTextPredictor ({ models, fallback, tokenizerOf }: TextPredictorOptions): TextPredictor {
  return async request => {
    const model = requestedModel(request.model, fallback, models)
    return await withPlace(models, model, request.version, request, async place => await predict(place, request, tokenizerOf))
  }
}

async function predict ({ version, terms }: Place, { texts, signal, trace, topK }: TextRequest, tokenizerOf: TokenizerOf): Promise<TextPrediction[]> {
  const { manifest, model } = version
  trace.serves(version, texts.length)
  const contract = manifest.text
  if (manifest.task !== 'text-classification' || contract === undefined) throw new WrongTaskError(model, manifest.task, 'text-classification')
  const encoded = await trace.time('decode', async () => await (await tokenizerOf(version)).encode(texts))
  signal.throwIfAborted()
  const buckets = inLengthBuckets(encoded, contract)
  const parts = await Promise.all(buckets.map(async bucket => await runRows({ version, inputs: toTensors(bucket.encoded, contract, version), rows: bucket.texts.length, terms, trace })))
  const scores = inOrder(parts, buckets)
  return trace.timeNow('encode', () => {
    const rankings = rankRows(scores, texts.length, { model, activation: manifest.activation, labels: manifest.labels, topK })
    return rankings.map((ranking, row) => ({ ...ranking, model: { name: model, version: version.version }, text: tokensOf(encoded, row, model) }))
  })
}

/** Each text's scores in its place. */
function inOrder (parts: readonly TensorValue[], buckets: readonly LengthBucket[]): TensorValue {
  if (parts.length === 1) return parts[0]!
  const rows = parts.flatMap((part, index) => buckets[index]!.texts.map((text, row) => ({ text, scores: takeRows(part, row, 1) })))
  return stackRows(rows.sort((a, b) => a.text - b.text).map(({ scores }) => scores))
}

function toTensors (encoded: LengthBucket['encoded'], { inputs: { ids, mask, types } }: TextContract, version: ModelVersion): Record<string, TensorValue> {
  const given: [name: string | undefined, numbers: Int32Array][] = [[ids, encoded.ids], [mask, encoded.mask], [types, encoded.types]]
  const shape = [encoded.rows, encoded.length]
  return Object.fromEntries(given.flatMap(([name, numbers]) => name === undefined ? [] : [[name, tokenTensor(numbers, shape, name, version)]]))
}

/** Token numbers in the type that the signature's input has: int32 or int64. */
function tokenTensor (numbers: Int32Array, shape: number[], name: string, { manifest, signatures }: ModelVersion): TensorValue {
  const isLong = signatures[manifest.signature ?? '']?.inputs[name]?.dtype === 'int64'
  return isLong ? { dtype: 'int64', shape, data: BigInt64Array.from(numbers, BigInt) } : { dtype: 'int32', shape, data: numbers }
}

function tokensOf ({ tokens, truncated, unknown }: EncodedTexts, row: number, model: string): TextPrediction['text'] {
  const [count, isCut, missing] = [tokens[row], truncated[row], unknown[row]]
  if (count === undefined || isCut === undefined || missing === undefined) throw new InferenceError(model, `its tokenizer left out text ${row + 1}`)
  return { tokens: count, truncated: isCut, unknown: missing }
}
