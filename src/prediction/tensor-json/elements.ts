import { allocateArray, type TensorData, type ValueDType } from '../../tensorflow/dtype.ts'
import { decodeBase64 } from './base64.ts'
import { nonFiniteNumber } from './json-text.ts'
import { BFLOAT16, FLOAT16, fromFloatBits, toFloatBits, type FloatLayout } from './small-floats.ts'

/** Where a tensor's elements go one by one, in row-major order. */
export interface ElementWriter {
  readonly data: TensorData
  /** @throws ElementError if the value does not fit the type exactly enough; the message says why, without the place */
  write(index: number, value: unknown): void
}

/** Why one JSON value can not be an element; whoever knows its place adds that. */
export class ElementError extends Error {}

export const MAX_FLOAT32 = 3.4028234663852886e38

export const INTEGER_RANGES = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  uint32: [0, 4294967295],
  int32: [-2147483648, 2147483647]
} as const

export const BIG_RANGES = {
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n]
} as const

const WRITERS: Readonly<Record<ValueDType, (count: number) => ElementWriter>> = {
  float16: smallFloatWriter('float16', FLOAT16),
  bfloat16: smallFloatWriter('bfloat16', BFLOAT16),
  float32: floatWriter('float32', MAX_FLOAT32),
  float64: floatWriter('float64', Number.MAX_VALUE),
  complex64: floatWriter('complex64', MAX_FLOAT32),
  complex128: floatWriter('complex128', Number.MAX_VALUE),
  int8: integerWriter('int8'),
  int16: integerWriter('int16'),
  int32: integerWriter('int32'),
  int64: bigWriter('int64'),
  uint8: integerWriter('uint8'),
  uint16: integerWriter('uint16'),
  uint32: integerWriter('uint32'),
  uint64: bigWriter('uint64'),
  bool: boolWriter,
  string: stringWriter
}

/** A writer over zeroed memory. Complex numbers are written as two elements: real, imaginary. */
export function elementWriter (dtype: ValueDType, count: number): ElementWriter {
  return WRITERS[dtype](count)
}

function floatWriter (dtype: ValueDType, largest: number) {
  return writerWith<number>(dtype, value => {
    const number = toNumber(dtype, value)
    if (Math.abs(number) > largest && Number.isFinite(number)) throw outOfRange(dtype, value, -largest, largest)
    return number
  })
}

function smallFloatWriter (dtype: ValueDType, layout: FloatLayout) {
  const largest = fromFloatBits((((1 << layout.exponentBits) - 1) << layout.mantissaBits) - 1, layout)
  return writerWith<number>(dtype, value => {
    const number = toNumber(dtype, value)
    const bits = toFloatBits(number, layout)
    if (Number.isFinite(number) && !Number.isFinite(fromFloatBits(bits, layout))) throw outOfRange(dtype, value, -largest, largest)
    return bits
  })
}

function integerWriter (dtype: keyof typeof INTEGER_RANGES) {
  const [least, largest] = INTEGER_RANGES[dtype]
  return writerWith<number>(dtype, value => {
    const number = toNumber(dtype, value)
    if (!Number.isInteger(number)) throw notOf(dtype, value)
    if (number < least || number > largest) throw outOfRange(dtype, value, least, largest)
    return number
  })
}

function bigWriter (dtype: keyof typeof BIG_RANGES) {
  const [least, largest] = BIG_RANGES[dtype]
  return writerWith<bigint>(dtype, value => {
    if (typeof value !== 'bigint' && !Number.isInteger(value)) throw notOf(dtype, value)
    const integer = BigInt(value as number | bigint)
    if (integer < least || integer > largest) throw outOfRange(dtype, value, least, largest)
    return integer
  })
}

function boolWriter (count: number): ElementWriter {
  return writerWith<number>('bool', value => {
    if (typeof value !== 'boolean') throw notOf('bool', value)
    return value ? 1 : 0
  })(count)
}

function stringWriter (count: number): ElementWriter {
  const data = new Array<Uint8Array>(count)
  return { data, write (index, value) { data[index] = toBytes(value) } }
}

function writerWith<N extends number | bigint> (dtype: ValueDType, toElement: (value: unknown) => N): (count: number) => ElementWriter {
  return count => {
    const data = allocateArray(dtype, count)
    const elements = data as unknown as N[]
    return { data, write (index, value) { elements[index] = toElement(value) } }
  }
}

/** @param value a JSON string, which becomes UTF-8, or `{"b64": "…"}` */
function toBytes (value: unknown): Uint8Array {
  if (typeof value === 'string' && nonFiniteNumber(value) === undefined) return Buffer.from(value, 'utf8')
  if (!isBase64Object(value)) throw notOf('string', value)
  const bytes = decodeBase64(value.b64)
  if (bytes === undefined) throw new ElementError('{"b64": …} does not hold base64')
  return bytes
}

/** TensorFlow Serving's form for bytes: an object whose only key is `b64`, with a string. */
export function isBase64Object (value: unknown): value is { b64: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.keys(value).length === 1 && Object.hasOwn(value, 'b64') && typeof (value as { b64: unknown }).b64 === 'string'
}

function toNumber (dtype: string, value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  const number = nonFiniteNumber(value)
  if (number === undefined) throw notOf(dtype, value)
  return number
}

function notOf (dtype: string, value: unknown): ElementError {
  return new ElementError(`${show(value)} is not of type ${dtype}`)
}

function outOfRange (dtype: string, value: unknown, least: number | bigint, largest: number | bigint): ElementError {
  return new ElementError(`${show(value)} is out of the range of ${dtype}, ${least} to ${largest}`)
}

/** A value as JSON, 40 characters of it at most; lists and objects by name. */
function show (value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = nonFiniteNumber(value)?.toString() ?? (typeof value === 'string' ? JSON.stringify(value) : String(value))
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}
