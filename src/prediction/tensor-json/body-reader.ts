import { COLON, COMMA, Cursor, LIST, LIST_END, OBJECT, OBJECT_END, QUOTE, unexpected, UnexpectedError } from './cursor.ts'
import type { Pieces } from './in-turns.ts'
import type { PredictBody, SignatureInputs } from './predict-body.ts'
import { readShortString } from './read-string.ts'
import { TensorReader } from './tensor-reader.ts'
import { isValueDType, type TensorValue } from '../../tensorflow/dtype.ts'

type SignatureOf<S extends SignatureInputs> = (name: string | undefined) => S
type Tensors = Record<string, TensorValue>

/**
 * Reads a body of `:predict` without making a JavaScript value of every number in it: bytes to tensors in one pass.
 *
 * @param body UTF-8
 * @returns undefined if anything about it is odd or wrong; whoever reads it as plain JSON then finds out what
 */
export function * readBodyBytes<S extends SignatureInputs> (body: Uint8Array, signatureOf: SignatureOf<S>): Pieces<PredictBody<S> | undefined> {
  try {
    const first = yield * readBody(new Cursor(body), signatureOf, undefined)
    if (first.isWhole) return first.body
    const second = yield * readBody(new Cursor(body), signatureOf, first.signatureName)
    return second.isWhole ? second.body : undefined
  } catch (error) {
    if (error instanceof UnexpectedError) return undefined
    throw error
  }
}

/** A body, or the signature's name that was found behind tensors read for another signature. */
type Attempt<S extends SignatureInputs> = { isWhole: true, body: PredictBody<S> } | { isWhole: false, signatureName: string }

/** @param name the signature's, where it is known to stand behind the tensors */
function * readBody<S extends SignatureInputs> (cursor: Cursor, signatureOf: SignatureOf<S>, name: string | undefined): Pieces<Attempt<S>> {
  let signatureName: string | undefined
  let usedName: string | undefined
  let body: PredictBody<S> | undefined
  cursor.expect(OBJECT)
  do {
    const key = readKey(cursor)
    if (key === 'signature_name' && signatureName === undefined) {
      if (cursor.peek() !== QUOTE) unexpected()
      signatureName = readShortString(cursor)
    } else {
      if (body !== undefined) unexpected()
      usedName = signatureName ?? name
      body = yield * readTensors(cursor, key, findSignature(signatureOf, usedName))
    }
  } while (cursor.skip(COMMA))
  cursor.expect(OBJECT_END)
  if (cursor.peek() !== -1 || body === undefined) unexpected()
  const isRead = signatureName === undefined || signatureName === usedName || findSignature(signatureOf, signatureName) === body.signature
  return isRead ? { isWhole: true, body } : { isWhole: false, signatureName: signatureName! }
}

function * readTensors<S extends SignatureInputs> (cursor: Cursor, key: string, signature: S): Pieces<PredictBody<S>> {
  switch (key) {
    case 'instances': return { form: 'row', signature, inputs: yield * readInstances(cursor, signature) }
    case 'inputs': return { form: 'column', signature, inputs: yield * readInputs(cursor, signature) }
    default: return unexpected()
  }
}

function readKey (cursor: Cursor): string {
  const key = readShortString(cursor)
  cursor.expect(COLON)
  return key
}

function findSignature<S extends SignatureInputs> (signatureOf: SignatureOf<S>, name: string | undefined): S {
  try {
    return signatureOf(name === '' ? undefined : name)
  } catch {
    return unexpected()
  }
}

/** Rows: values of the only input, or objects with a value of each. */
function * readInstances (cursor: Cursor, { inputs }: SignatureInputs): Pieces<Tensors> {
  if (cursor.peek() !== LIST) unexpected()
  const isNamed = isNamedAt(cursor, cursor.at + 1)
  if (!isNamed) {
    const tensors = yield * readSole(cursor, inputs)
    if (Object.values(tensors)[0]?.shape[0] === 0) unexpected()
    return tensors
  }
  cursor.expect(LIST)
  const readers = readersOf(inputs, true)
  do yield * readNamed(cursor, readers)
  while (cursor.skip(COMMA))
  cursor.expect(LIST_END)
  return finish(readers)
}

function * readInputs (cursor: Cursor, { inputs }: SignatureInputs): Pieces<Tensors> {
  if (!isNamedAt(cursor, cursor.at)) return yield * readSole(cursor, inputs)
  const readers = readersOf(inputs, false)
  yield * readNamed(cursor, readers)
  return finish(readers)
}

function * readSole (cursor: Cursor, inputs: SignatureInputs['inputs']): Pieces<Tensors> {
  const readers = readersOf(inputs, false)
  const [sole] = readers.values()
  if (sole === undefined || readers.size > 1) unexpected()
  yield * sole.read(cursor)
  return finish(readers)
}

/** An object with a value of each input and nothing else. */
function * readNamed (cursor: Cursor, readers: ReadonlyMap<string, TensorReader>): Pieces<void> {
  cursor.expect(OBJECT)
  const read = new Set<string>()
  do {
    const name = readKey(cursor)
    const reader = readers.get(name)
    if (reader === undefined || read.has(name)) unexpected()
    read.add(name)
    yield * reader.read(cursor)
  } while (cursor.skip(COMMA))
  cursor.expect(OBJECT_END)
  if (read.size !== readers.size) unexpected()
}

/** Whether an object of named values stands there, and not bytes as `{"b64": "…"}`; the cursor stays. */
function isNamedAt (cursor: Cursor, at: number): boolean {
  const before = cursor.at
  cursor.at = at
  const isNamed = cursor.skip(OBJECT) && !(cursor.peek() === QUOTE && cursor.skipWord('"b64"'))
  cursor.at = before
  return isNamed
}

function readersOf (inputs: SignatureInputs['inputs'], byRow: boolean): Map<string, TensorReader> {
  return new Map(Object.entries(inputs).map(([name, { dtype }]) => [name, isValueDType(dtype) ? new TensorReader(dtype, byRow) : unexpected()]))
}

function finish (readers: ReadonlyMap<string, TensorReader>): Tensors {
  return Object.fromEntries(Array.from(readers, ([name, reader]) => [name, reader.finish()]))
}
