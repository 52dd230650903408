import { BadRequestError, BadTensorError } from '../../errors.ts'
import type { DType, TensorValue } from '../../tensorflow/dtype.ts'
import { readBodyBytes } from './body-reader.ts'
import { decodeInPieces } from './decode.ts'
import { isBase64Object } from './elements.ts'
import { rowWriter, writeTensor } from './encode.ts'
import type { Pieces } from './in-turns.ts'
import { JsonPieces, type JsonText } from './json-pieces.ts'
import { checkText, decodeText, mayHoldLargeIntegers, parseJson, parseJsonExactly } from './json-text.ts'
import { PARSED_AT_ONCE_BYTES, parseInPieces } from './value-reader.ts'

/** The smallest body that is read faster without JavaScript's values. */
const READ_AS_BYTES = 256
/** Rows between two yields. */
const ROWS_AT_ONCE = 1024

/** How a request gives its tensors, and so how the reply does: row by row, or each as a whole. */
export type Form = 'row' | 'column'

/** The part of a signature that is needed to read a request. */
export interface SignatureInputs { readonly inputs: Readonly<Record<string, { readonly dtype: DType }>> }

export interface PredictBody<S extends SignatureInputs> {
  readonly form: Form
  readonly signature: S
  readonly inputs: Record<string, TensorValue>
}

/**
 * Reads the body of TensorFlow Serving's `:predict`: `{"signature_name"?, "instances": […]}` or `{"signature_name"?, "inputs": …}`.
 *
 * @param signatureOf finds the signature by the name given, or the default one
 * @throws BadRequestError, BadTensorError, and what `signatureOf` throws
 */
export function * readPredictBody<S extends SignatureInputs> (body: Uint8Array, signatureOf: (name: string | undefined) => S): Pieces<PredictBody<S>> {
  checkText(body)
  if (body.byteLength < READ_AS_BYTES) return yield * readBodyValues(body, signatureOf)
  return (yield * readBodyBytes(body, signatureOf)) ?? (yield * readBodyValues(body, signatureOf))
}

/** The same by way of JavaScript's values: what knows everything that a body can be, and says what is wrong with it. */
export function * readBodyValues<S extends SignatureInputs> (body: Uint8Array, signatureOf: (name: string | undefined) => S): Pieces<PredictBody<S>> {
  const parse = (isExact: boolean): Pieces<unknown> => body.byteLength > PARSED_AT_ONCE_BYTES ? parseInPieces(body, { isExact, takesNonFinite: true }) : parseAtOnce(body, isExact)
  const quick = asObject(yield * parse(false))
  const signature = signatureOf(signatureName(quick))
  const json = hasLargeIntegers(signature) ? asObject(yield * parse(true)) : quick
  const hasRows = Object.hasOwn(json, 'instances')
  if (hasRows === Object.hasOwn(json, 'inputs')) {
    throw new BadRequestError(`The body needs ${hasRows ? 'only ' : ''}one of "instances" (row form) and "inputs" (column form)`)
  }
  const inputs = yield * hasRows ? fromRows(json['instances'], signature) : fromColumns(json['inputs'], signature)
  return { form: hasRows ? 'row' : 'column', signature, inputs }
}

/** By JavaScript's own parser, which says better what is wrong, but holds the event loop until it is done. */
function * parseAtOnce (body: Uint8Array, isExact: boolean): Pieces<unknown> {
  const text = decodeText(body)
  return isExact && mayHoldLargeIntegers(text) ? parseJsonExactly(text) : parseJson(text)
}

/**
 * The reply: `{"predictions": […]}` to the row form, `{"outputs": …}` to the column form; a sole output without its name.
 *
 * @throws BadRequestError if the row form is asked for and the outputs have no rows in common
 */
export function * writePredictReply (form: Form, outputs: Readonly<Record<string, TensorValue>>): Pieces<JsonText> {
  const text = new JsonPieces()
  text.add(form === 'row' ? '{"predictions":' : '{"outputs":')
  yield * form === 'row' ? writeRows(outputs, text) : writeColumns(outputs, text)
  text.add('}')
  return text.finish()
}

function asObject (json: unknown): Record<string, unknown> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>
  throw new BadRequestError('The body is not a JSON object with "instances" or "inputs"')
}

function signatureName (json: Record<string, unknown>): string | undefined {
  const name = Object.hasOwn(json, 'signature_name') ? json['signature_name'] : undefined
  if (name === undefined || typeof name === 'string') return name === '' ? undefined : name
  throw new BadRequestError('"signature_name" is not a string')
}

function hasLargeIntegers ({ inputs }: SignatureInputs): boolean {
  return Object.values(inputs).some(({ dtype }) => dtype === 'int64' || dtype === 'uint64')
}

/** Rows are either all objects with every input's value, or all plain values of the only input. */
function * fromRows (instances: unknown, { inputs }: SignatureInputs): Pieces<Record<string, TensorValue>> {
  if (!Array.isArray(instances) || instances.length === 0) throw new BadRequestError('"instances" is not a list of at least one row')
  const names = Object.keys(inputs)
  if (!isNamed(instances[0])) return yield * plainValue(instances, 'instances', inputs)
  const columns = Object.fromEntries(names.map(name => [name, new Array<unknown>(instances.length)]))
  for (let index = 0; index < instances.length; index++) {
    const row: unknown = instances[index]
    checkNames(row, names, () => `"instances"[${index}]`)
    for (const name of names) columns[name]![index] = row[name]
    if (index % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) yield
  }
  return yield * decodeEach(inputs, name => columns[name])
}

function * fromColumns (value: unknown, { inputs }: SignatureInputs): Pieces<Record<string, TensorValue>> {
  if (!isNamed(value)) return yield * plainValue(value, 'inputs', inputs)
  checkNames(value, Object.keys(inputs), () => '"inputs"')
  return yield * decodeEach(inputs, name => value[name])
}

function * plainValue (value: unknown, key: string, inputs: SignatureInputs['inputs']): Pieces<Record<string, TensorValue>> {
  const names = Object.keys(inputs)
  if (names.length !== 1) throw new BadRequestError(`"${key}" has values without names, but the signature's inputs are: ${list(names)}`)
  return yield * decodeEach(inputs, () => value)
}

function * decodeEach (inputs: SignatureInputs['inputs'], valueOf: (name: string) => unknown): Pieces<Record<string, TensorValue>> {
  const tensors: [name: string, tensor: TensorValue][] = []
  for (const [name, { dtype }] of Object.entries(inputs)) tensors.push([name, yield * decodeInPieces(valueOf(name), dtype, name)])
  return Object.fromEntries(tensors)
}

/** An object of named tensors, and not bytes as `{"b64": "…"}`. */
function isNamed (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isBase64Object(value)
}

function checkNames (value: unknown, names: readonly string[], place: () => string): asserts value is Record<string, unknown> {
  if (!isNamed(value)) throw new BadRequestError(`${place()} is not an object as the first one is`)
  const missing = names.find(name => !Object.hasOwn(value, name))
  if (missing !== undefined) throw new BadTensorError(missing, `is missing in ${place()}; the signature's inputs are: ${list(names)}`)
  const unknown = Object.keys(value).find(name => !names.includes(name))
  if (unknown !== undefined) throw new BadTensorError(unknown.slice(0, 100), `is not in the signature, whose inputs are: ${list(names)}`)
}

function * writeColumns (outputs: Readonly<Record<string, TensorValue>>, text: JsonPieces): Pieces<void> {
  const fields = Object.entries(outputs)
  const [sole] = fields
  if (fields.length === 1 && sole !== undefined) return yield * writeTensor(sole[1], sole[0], text)
  let before = '{'
  for (const [name, tensor] of fields) {
    text.add(`${before}${JSON.stringify(name)}:`)
    yield * writeTensor(tensor, name, text)
    before = ','
  }
  text.add(fields.length === 0 ? '{}' : '}')
}

function * writeRows (outputs: Readonly<Record<string, TensorValue>>, text: JsonPieces): Pieces<void> {
  checkRows(outputs)
  const columns = Object.entries(outputs)
  const [sole] = columns
  if (columns.length === 1 && sole !== undefined) return yield * writeTensor(sole[1], sole[0], text)
  const fields = columns.map(([name, tensor], index) => ({ key: `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`, write: rowWriter(tensor, name) }))
  const rows = sole?.[1].shape[0] ?? 0
  text.add('[')
  for (let row = 0; row < rows; row++) {
    if (row > 0) text.add(',')
    for (const { key, write } of fields) {
      text.add(key)
      yield * write(row, text)
    }
    text.add('}')
  }
  text.add(']')
}

function checkRows (outputs: Readonly<Record<string, TensorValue>>): void {
  const shapes = Object.entries(outputs).map(([name, { shape }]) => ({ name, shape }))
  const rows = shapes[0]?.shape[0]
  const odd = shapes.find(({ shape }) => shape[0] === undefined || shape[0] !== rows)
  if (odd === undefined) return
  throw new BadRequestError(`Output "${odd.name}" of shape [${odd.shape.join(', ')}] has not the rows of the others; ask with "inputs" instead of "instances"`)
}

function list (names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map(name => `"${name}"`).join(', ')
}
