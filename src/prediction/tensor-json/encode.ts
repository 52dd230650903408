import { isUtf8 } from 'node:buffer'
import { elementCount, numbersPerElement, type TensorValue, type ValueDType } from '../../tensorflow/dtype.ts'
import type { Pieces } from './in-turns.ts'
import type { JsonPieces } from './json-pieces.ts'
import { BFLOAT16, FLOAT16, fromFloatBits } from './small-floats.ts'

/**
 * A tensor as TensorFlow Serving writes it: nested lists; floats with the fewest digits that read back as the same float, whole ones with
 * `.0`; NaN, Infinity and -Infinity bare; 64-bit integers with all digits; strings as text, or as `{"b64": "…"}` where the output's name
 * ends in `_bytes` or the bytes are not UTF-8; complex numbers as [real, imaginary].
 */
export function encodeTensor (tensor: TensorValue, output: string): string {
  return writerOf(tensor, output).write(0, 0)
}

/** As `encodeTensor`, in pieces. */
export function * writeTensor (tensor: TensorValue, output: string, text: JsonPieces): Pieces<void> {
  yield * writeLevel(writerOf(tensor, output), 0, 0, text)
}

/**
 * The same for each row alone.
 *
 * @param tensor first side: rows
 * @returns writes one row
 */
export function rowWriter (tensor: TensorValue, output: string): (row: number, text: JsonPieces) => Pieces<void> {
  const writer = writerOf(tensor, output)
  return (row, text) => writeLevel(writer, 1, row, text)
}

/** Numbers written at a stretch: what takes about a millisecond. */
const NUMBERS_AT_ONCE = 4096
/** Strings can be long. */
const STRINGS_AT_ONCE = 16

interface Writer {
  /** The lists' lengths; for a complex type with the pairs' own. */
  readonly sides: readonly number[]
  /** Elements that stand below one list, or element, of each level. */
  readonly sizes: readonly number[]
  /** Elements written at a stretch. */
  readonly atOnce: number
  /** Writes what stands at `index` among the lists of level `level`, or among the elements. */
  readonly write: (level: number, index: number) => string
}

function writerOf (tensor: TensorValue, output: string): Writer {
  const sides = numbersPerElement(tensor.dtype) === 2 ? [...tensor.shape, 2] : tensor.shape
  const format = formatOf(tensor, output)
  return {
    sides,
    sizes: sides.map((_, level) => elementCount(sides.slice(level))),
    atOnce: tensor.dtype === 'string' ? STRINGS_AT_ONCE : NUMBERS_AT_ONCE,
    write: function write (level, index) {
      const side = sides[level]
      if (side === undefined) return format(index)
      const parts = new Array<string>(side)
      for (let place = 0; place < side; place++) parts[place] = write(level + 1, index * side + place)
      return `[${parts.join(',')}]`
    }
  }
}

/** Writes as `write` does: at a stretch what is small, list by list what is not. */
function * writeLevel (writer: Writer, level: number, index: number, text: JsonPieces): Pieces<void> {
  const { sides, sizes, atOnce, write } = writer
  const side = sides[level]
  if (side === undefined || sizes[level]! + side <= atOnce) {
    if (text.add(write(level, index))) yield
    return
  }
  text.add('[')
  for (let place = 0; place < side; place++) {
    if (place > 0) text.add(',')
    const below = index * side + place
    if ((sizes[level + 1] ?? 1) > atOnce) yield * writeLevel(writer, level + 1, below, text)
    else if (text.add(write(level + 1, below))) yield
  }
  text.add(']')
}

function formatOf ({ dtype, data }: TensorValue, output: string): (index: number) => string {
  if (dtype === 'string') {
    const asBytes = output.endsWith('_bytes')
    return index => formatString(data[index] as Uint8Array, asBytes)
  }
  const format = FORMATS[dtype]
  return index => format(data[index] as never)
}

const FORMATS: Readonly<Record<Exclude<ValueDType, 'string'>, (element: never) => string>> = {
  float16: (bits: number) => formatFloat32(fromFloatBits(bits, FLOAT16)),
  bfloat16: (bits: number) => formatFloat32(fromFloatBits(bits, BFLOAT16)),
  float32: formatFloat32,
  float64: formatFloat64,
  complex64: formatFloat32,
  complex128: formatFloat64,
  int8: String,
  int16: String,
  int32: String,
  int64: String,
  uint8: String,
  uint16: String,
  uint32: String,
  uint64: String,
  bool: (element: number) => element === 0 ? 'false' : 'true'
}

function formatFloat32 (value: number): string {
  return formatFloat(value, shortestFloat32)
}

function formatFloat64 (value: number): string {
  return formatFloat(value, String)
}

/** @param digits writes a finite number that is not whole */
function formatFloat (value: number, digits: (value: number) => string): string {
  if (!Number.isInteger(value)) return Number.isFinite(value) ? digits(value) : String(value)
  const text = Object.is(value, -0) ? '-0' : String(value)
  return text.includes('e') ? text : `${text}.0`
}

const POWERS_OF_TEN = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))

/** The fewest digits, seven at least, that read back as the same float32; nine always do. `toPrecision` would do, at four times the cost. */
function shortestFloat32 (value: number): string {
  const wholeDigits = Math.ceil(Math.log10(Math.abs(value)))
  for (let digits = 7; digits <= 9; digits++) {
    const scale = POWERS_OF_TEN[digits - wholeDigits]
    const rounded = scale === undefined ? Number(value.toPrecision(digits)) : Math.round(value * scale) / scale
    if (Math.fround(rounded) === value) return String(rounded)
  }
  return String(value)
}

function formatString (bytes: Uint8Array, asBytes: boolean): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return asBytes || !isUtf8(buffer) ? `{"b64":"${buffer.toString('base64')}"}` : JSON.stringify(buffer.toString('utf8'))
}
