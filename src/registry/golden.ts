import { BadManifestError } from '../errors.ts'
import {
  allocateArray, elementCount, numbersPerElement, type DType, type NumericArray, type TensorValue, type ValueDType
} from '../tensorflow/index.ts'
import type { GoldenTensor } from './manifest.ts'

/** Numbers that JSON has no words for. */
const NON_FINITE: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity }

/** Types whose values a manifest can record. */
const RECORDABLE = new Set<DType>([
  'float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'bool', 'string', 'complex64', 'complex128'
])

type RecordableDType = Exclude<ValueDType, 'float16' | 'bfloat16'>

/** Elements that a pattern may fill: four photos of 1024×1024. */
const MAX_REPEATED = 2 ** 24

function isRecordable (dtype: string): dtype is RecordableDType {
  return RECORDABLE.has(dtype as DType)
}

/** A tensor as a manifest records it: strings as base64, 64-bit numbers in decimal, NaN and infinities by name. */
export function toGoldenTensor ({ dtype, shape, data }: TensorValue): GoldenTensor {
  if (!isRecordable(dtype)) throw new Error(`A manifest can not record ${dtype}. This is a bug.`)
  return { dtype, shape: [...shape], data: Array.from<Uint8Array | number | bigint, GoldenTensor['data'][number]>(data, element => toJson(dtype, element)) }
}

function toJson (dtype: ValueDType, element: Uint8Array | number | bigint): string | number | boolean {
  if (element instanceof Uint8Array) return Buffer.from(element.buffer, element.byteOffset, element.byteLength).toString('base64')
  if (typeof element === 'bigint') return element.toString()
  if (dtype === 'bool') return element !== 0
  return Number.isFinite(element) ? element : String(element)
}

/**
 * The tensor that a manifest records.
 *
 * @param place where in the manifest, for the error
 * @throws BadManifestError if type, shape and data do not fit together
 */
export function fromGoldenTensor (path: string, place: string, { dtype, shape, data: written, repeat }: GoldenTensor): TensorValue {
  const refuse = (problem: string): Error => new BadManifestError(path, `${place} ${problem}`)
  if (!isRecordable(dtype)) throw refuse(`has type "${dtype}", which can not be recorded`)
  const expected = elementCount(shape) * numbersPerElement(dtype)
  const isPattern = repeat === true && written.length > 0 && expected <= MAX_REPEATED
  if (!isPattern && written.length !== expected) throw refuse(`has ${written.length} values, its shape [${shape.join(', ')}] needs ${expected}`)
  if (dtype === 'string') return { dtype, shape, data: Array.from({ length: expected }, (_, index) => Buffer.from(String(written[index % written.length]), 'base64')) }
  const values = allocateArray(dtype, elementCount(shape))
  written.slice(0, expected).forEach((element, index) => {
    const value = fromJson(dtype, element)
    if (value === undefined) throw refuse(`has ${JSON.stringify(element)} at ${index}, which is not ${dtype}`)
    values[index] = value
  })
  if (isPattern) tile(values, written.length)
  return { dtype, shape, data: values }
}

/** Fills an array with copies of its first `length` elements. */
function tile (values: NumericArray, length: number): void {
  for (let filled = length; filled < values.length; filled *= 2) values.copyWithin(filled, 0, filled)
}

function fromJson (dtype: ValueDType, element: string | number | boolean): number | bigint | undefined {
  if (dtype === 'bool') return typeof element === 'boolean' ? Number(element) : undefined
  if (typeof element === 'boolean') return undefined
  if (dtype === 'int64' || dtype === 'uint64') return /^-?\d+$/.test(String(element)) ? BigInt(element) : undefined
  return typeof element === 'number' ? element : NON_FINITE[element]
}

/**
 * Whether a tensor is the recorded one.
 *
 * @param tolerance largest absolute difference of numbers; strings and bools have to be the same
 * @returns what differs, undefined if nothing does
 */
export function differenceFrom (recorded: TensorValue, found: TensorValue, tolerance: number): string | undefined {
  if (recorded.dtype !== found.dtype) return `has type ${found.dtype}, recorded is ${recorded.dtype}`
  if (recorded.shape.join() !== found.shape.join()) return `has shape [${found.shape.join(', ')}], recorded is [${recorded.shape.join(', ')}]`
  if (recorded.dtype === 'string') return stringDifference(recorded.data as readonly Uint8Array[], found.data as readonly Uint8Array[])
  return numberDifference(recorded.data as NumericArray, found.data as NumericArray, recorded.dtype === 'bool' ? 0 : tolerance)
}

function stringDifference (recorded: readonly Uint8Array[], found: readonly Uint8Array[]): string | undefined {
  const index = recorded.findIndex((bytes, at) => Buffer.compare(bytes, found[at] as Uint8Array) !== 0)
  return index === -1 ? undefined : `has another string at ${index} than recorded`
}

function numberDifference (recorded: NumericArray, found: NumericArray, tolerance: number): string | undefined {
  for (const [index, expected] of recorded.entries()) {
    const value = found[index]!
    if (value === expected || (Number.isNaN(value) && Number.isNaN(expected))) continue
    const difference = Math.abs(Number(typeof value === 'bigint' ? value - BigInt(expected) : value - Number(expected)))
    if (!(difference <= tolerance)) return `has ${value} at ${index}, recorded is ${expected}, allowed are ${tolerance} apart`
  }
  return undefined
}
