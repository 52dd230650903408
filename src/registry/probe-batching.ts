import type { SignatureBatching } from '../batching/run-request.ts'
import { stackRows, takeRows } from '../batching/rows.ts'
import { TensorFlowError, type LoadedSavedModel, type NumericArray, type Signature, type TensorInfo, type TensorValue } from '../tensorflow/index.ts'
import { variedInputs, type KnownShapes } from './made-up-inputs.ts'
import { formatShape } from './shapes.ts'
import { cleanReason } from './tensorflow-reason.ts'

type Runnable = Pick<LoadedSavedModel, 'run'>
type Verdict = { readonly isBatched: true } | Extract<SignatureBatching, { kind: 'alone' }>

/** Rows that are tried together and one by one. */
const PROBE_ROWS = 3
/** How far a row's answer in a batch may be from its answer alone, for numbers around 1; larger ones in proportion. */
const TOLERANCE = 1e-5

/**
 * Whether a signature's rows may be run together with others': by what it declares, then by running three rows together and each alone.
 *
 * @param known shapes that the manifest knows better than the signature
 */
export async function probeBatching (model: Runnable, signature: Signature, known: KnownShapes = {}): Promise<Verdict> {
  const reason = declaredReason(signature) ?? await triedReason(model, signature, known)
  return reason === undefined ? { isBatched: true } : { kind: 'alone', reason }
}

/** Why a signature can't be batched by what it says of itself. Pure. */
export function declaredReason ({ inputs, outputs, changesState }: Signature): string | undefined {
  if (changesState) return 'it changes the model\'s state'
  if (Object.keys(inputs).length === 0) return 'it has no inputs'
  return sideReason('input', inputs) ?? sideReason('output', outputs)
}

function sideReason (side: 'input' | 'output', tensors: Readonly<Record<string, TensorInfo>>): string | undefined {
  for (const [name, { shape, isComputed }] of Object.entries(tensors)) {
    if (side === 'input' && isComputed === true) return `its input "${name}" is computed by the graph`
    if (shape === undefined ? side === 'input' : shape[0] !== -1) return `its ${side} "${name}" of shape ${formatShape(shape)} has no free first dimension`
  }
  return undefined
}

async function triedReason (model: Runnable, { name, inputs }: Signature, known: KnownShapes): Promise<string | undefined> {
  const together = variedInputs({ inputs }, PROBE_ROWS, known)
  if (together === undefined) return 'its inputs are too large to make up'
  const rowOf = (tensors: Readonly<Record<string, TensorValue>>, row: number): Record<string, TensorValue> =>
    Object.fromEntries(Object.entries(tensors).map(([key, tensor]) => [key, takeRows(tensor, row, 1)]))
  try {
    const given = await model.run(name, together)
    const odd = Object.entries(given).find(([, { shape }]) => shape[0] !== PROBE_ROWS)
    if (odd !== undefined) return `its output "${odd[0]}" of shape ${formatShape(odd[1].shape)} has not the rows of its inputs`
    const alone: Record<string, TensorValue>[] = []
    for (let row = 0; row < PROBE_ROWS; row++) alone.push(await model.run(name, rowOf(together, row)))
    const different = Object.keys(given).find(key => !areClose(given[key]!, stackRows(alone.map(outputs => outputs[key]!))))
    return different === undefined ? undefined : `rows change each other's output "${different}"`
  } catch (error) {
    if (error instanceof RangeError) return 'its outputs have another shape for one row than for several'
    if (!(error instanceof TensorFlowError)) throw error
    return `it could not be tried with made-up rows: ${cleanReason(error.message)}`
  }
}

function areClose (left: TensorValue, right: TensorValue): boolean {
  if (left.dtype !== right.dtype || left.shape.join() !== right.shape.join()) return false
  if (left.dtype === 'string') return (left.data as readonly Uint8Array[]).every((bytes, index) => Buffer.compare(bytes, right.data[index] as Uint8Array) === 0)
  const [a, b] = [left.data as NumericArray, right.data as NumericArray]
  const isExact = left.dtype === 'float16' || left.dtype === 'bfloat16' // held as bits
  return a.every((value: number | bigint, index: number) => Object.is(value, b[index]) || (!isExact && isNear(Number(value), Number(b[index]))))
}

function isNear (a: number, b: number): boolean {
  return (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a))
}
