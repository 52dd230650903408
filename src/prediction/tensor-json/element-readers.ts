import { allocateArray, numbersPerElement, type NumericArray, type TensorData, type ValueDType } from '../../tensorflow/dtype.ts'
import { decodeBase64 } from './base64.ts'
import { COLON, COMMA, MINUS, OBJECT, OBJECT_END, QUOTE, unexpected, type Cursor } from './cursor.ts'
import { BIG_RANGES, INTEGER_RANGES, MAX_FLOAT32 } from './elements.ts'
import type { Pieces } from './in-turns.ts'
import { isDigit, numberEnd, quickNumber, readNumber, skipDigits } from './read-number.ts'
import { readShortString, readStringPieces } from './read-string.ts'
import { BFLOAT16, FLOAT16, fromFloatBits, toFloatBits, type FloatLayout } from './small-floats.ts'

/** Reads a tensor's elements from JSON's bytes, in row-major order, into an array that grows with them. */
export interface ElementReader {
  /**
   * Reads the element at the cursor and those that follow it after a comma, up to `most` and a few thousand.
   *
   * @returns how many; the cursor stands behind the last
   * @throws UnexpectedError at what is no element, or not one of the type
   */
  readRun (cursor: Cursor, most: number): number | Pieces<number>
  /** All that was read; not to be read on. */
  finish (): TensorData
}

/** Numbers read at a stretch: what takes well under a millisecond. */
const RUN = 4096
/** The numbers of the run that is being read: of one at a time, since a run is read and put away at a stretch. */
const run = new Float64Array(RUN)

/** Reads numbers into {@link run}; @returns how many. */
type RunReader = (cursor: Cursor, most: number) => number

const READERS: Readonly<Record<ValueDType, () => ElementReader>> = {
  float16: smallFloatReader('float16', FLOAT16),
  bfloat16: smallFloatReader('bfloat16', BFLOAT16),
  float32: numberReader('float32', count => { checkFloats(count, MAX_FLOAT32) }, readFloats32),
  float64: numberReader('float64'),
  complex64: numberReader('complex64', count => { checkFloats(count, MAX_FLOAT32) }, readFloats32),
  complex128: numberReader('complex128'),
  int8: integerReader('int8'),
  int16: integerReader('int16'),
  int32: integerReader('int32'),
  int64: () => new BigIntegerReader('int64'),
  uint8: integerReader('uint8'),
  uint16: integerReader('uint16'),
  uint32: integerReader('uint32'),
  uint64: () => new BigIntegerReader('uint64'),
  bool: () => new NumberReader('bool', readBools),
  string: () => new StringReader()
}

export function elementReader (dtype: ValueDType): ElementReader {
  return READERS[dtype]()
}

function numberReader (dtype: ValueDType, finishRun?: (count: number) => void, read: RunReader = readNumbers): () => ElementReader {
  return () => new NumberReader(dtype, read, finishRun)
}

function smallFloatReader (dtype: ValueDType, layout: FloatLayout): () => ElementReader {
  return numberReader(dtype, count => {
    for (let index = 0; index < count; index++) {
      const number = run[index]!
      const bits = toFloatBits(number, layout)
      if (Number.isFinite(number) && !Number.isFinite(fromFloatBits(bits, layout))) unexpected()
      run[index] = bits
    }
  })
}

function integerReader (dtype: keyof typeof INTEGER_RANGES): () => ElementReader {
  const [least, largest] = INTEGER_RANGES[dtype]
  return numberReader(dtype, count => {
    for (let index = 0; index < count; index++) {
      const number = run[index]!
      if (!Number.isInteger(number) || number < least || number > largest) unexpected()
    }
  })
}

function checkFloats (count: number, largest: number): void {
  for (let index = 0; index < count; index++) {
    const size = Math.abs(run[index]!)
    if (size > largest && size !== Infinity) unexpected()
  }
}

/** An array that grows with what is put into it. */
class GrowingArray<Elements extends NumericArray> {
  readonly #dtype: ValueDType
  #data: Elements | undefined
  count = 0

  constructor (dtype: ValueDType) {
    this.#dtype = dtype
  }

  /**
   * Makes room for `more` numbers.
   *
   * The first time it is as much as the rest of the text needs if it goes on like this, then as much as it could need at all: memory is
   * not used before it is written to, and what is large is never copied for growing.
   *
   * @param from where in the text these numbers began
   */
  room (more: number, { at, bytes }: Cursor, from: number): Elements {
    const needed = this.count + more
    if (this.#data === undefined) {
      this.#data = this.#allocate(needed + Math.floor((bytes.length - at) * more / (at - from)))
    } else if (needed > this.#data.length) {
      const larger = this.#allocate(needed + Math.floor((bytes.length - at) / 2))
      larger.set(this.#data.subarray(0, this.count) as never)
      this.#data = larger
    }
    return this.#data
  }

  finish (): Elements {
    const data = this.#data ?? this.#allocate(0)
    return data.length === this.count ? data : data.subarray(0, this.count) as Elements
  }

  #allocate (numbers: number): Elements {
    return allocateArray(this.#dtype, Math.ceil(numbers / numbersPerElement(this.#dtype))) as Elements
  }
}

class NumberReader implements ElementReader {
  readonly #data: GrowingArray<Float64Array>
  readonly #read: RunReader
  readonly #finishRun: ((count: number) => void) | undefined

  /** @param finishRun makes of the run's numbers what the array takes, or refuses them */
  constructor (dtype: ValueDType, read: RunReader, finishRun?: (count: number) => void) {
    this.#data = new GrowingArray(dtype)
    this.#read = read
    this.#finishRun = finishRun
  }

  readRun (cursor: Cursor, most: number): number {
    const from = cursor.at
    const count = this.#read(cursor, Math.min(most, RUN))
    this.#finishRun?.(count)
    const data = this.#data.room(count, cursor, from)
    if (count < 16) for (let index = 0; index < count; index++) data[this.#data.count + index] = run[index]!
    else data.set(run.subarray(0, count), this.#data.count)
    this.#data.count += count
    return count
  }

  finish (): NumericArray {
    return this.#data.finish()
  }
}

function readNumbers (cursor: Cursor, most: number, isFloat32 = false): number {
  const { bytes } = cursor
  let count = 0
  do {
    const number = quickNumber(bytes, cursor.at, isFloat32)
    if (Number.isNaN(number)) run[count++] = readOddNumber(cursor)
    else {
      run[count++] = number
      cursor.at = numberEnd
    }
  } while (count < most && skipComma(cursor, isNumberStart))
  return count
}

function readFloats32 (cursor: Cursor, most: number): number {
  return readNumbers(cursor, most, true)
}

/** A number that takes more than a quick look, or a word that stands for one. */
function readOddNumber (cursor: Cursor): number {
  const { at, bytes } = cursor
  const byte = bytes[at]!
  return isDigit(byte) || (byte === MINUS && isDigit(bytes[at + 1])) ? readNumber(cursor) : readWord(cursor)
}

function readBools (cursor: Cursor, most: number): number {
  let count = 0
  do {
    if (cursor.skipWord('true')) run[count++] = 1
    else if (cursor.skipWord('false')) run[count++] = 0
    else unexpected()
  } while (count < most && skipComma(cursor, isBoolStart))
  return count
}

/** Skips a comma that an element follows; the cursor goes to the element. */
function skipComma (cursor: Cursor, isStart: (byte: number) => boolean): boolean {
  const { bytes, at } = cursor
  if (bytes[at] !== COMMA && cursor.peek() !== COMMA) return false
  const comma = cursor.at++
  if (isStart(bytes[cursor.at]!) || isStart(cursor.peek())) return true
  cursor.at = comma
  return false
}

function isNumberStart (byte: number): boolean {
  return isDigit(byte) || byte === MINUS || byte === 0x4e || byte === 0x49
}

function isBoolStart (byte: number): boolean {
  return byte === 0x74 || byte === 0x66
}

/** NaN, Infinity or -Infinity, as TensorFlow Serving writes them. */
function readWord (cursor: Cursor): number {
  if (cursor.skipWord('NaN')) return NaN
  if (cursor.skipWord('Infinity')) return Infinity
  return cursor.skipWord('-Infinity') ? -Infinity : unexpected()
}

/** Integers of 64 bits, every digit kept. */
class BigIntegerReader implements ElementReader {
  readonly #range: readonly [least: bigint, largest: bigint]
  readonly #data: GrowingArray<BigInt64Array>

  constructor (dtype: keyof typeof BIG_RANGES) {
    this.#range = BIG_RANGES[dtype]
    this.#data = new GrowingArray(dtype)
  }

  readRun (cursor: Cursor, most: number): number {
    const limit = Math.min(most, RUN)
    let count = 0
    do {
      const from = cursor.at
      const integer = readInteger(cursor)
      if (integer < this.#range[0] || integer > this.#range[1]) unexpected()
      this.#data.room(1, cursor, from)[this.#data.count++] = integer
      count++
    } while (count < limit && skipComma(cursor, isNumberStart))
    return count
  }

  finish (): NumericArray {
    return this.#data.finish()
  }
}

/** A number that is whole; one written as nothing but digits is exact. */
function readInteger (cursor: Cursor): bigint {
  const { at, bytes } = cursor
  const number = readNumber(cursor)
  if (Number.isSafeInteger(number)) return BigInt(number)
  if (!Number.isInteger(number)) unexpected()
  const end = skipDigits(bytes, bytes[at] === MINUS ? at + 1 : at)
  return end === cursor.at ? BigInt(bytes.toString('latin1', at, end)) : BigInt(number)
}

/** Strings, which become UTF-8, or bytes as `{"b64": "…"}`. */
class StringReader implements ElementReader {
  readonly #data: Uint8Array[] = []

  finish (): Uint8Array[] {
    return this.#data
  }

  * readRun (cursor: Cursor): Pieces<number> {
    this.#data.push(cursor.peek() === OBJECT ? yield * readBase64(cursor) : yield * readText(cursor))
    return 1
  }
}

function * readText (cursor: Cursor): Pieces<Uint8Array> {
  const pieces = yield * readStringPieces(cursor)
  const [sole] = pieces
  if (pieces.length === 1) return Buffer.from(sole!, 'utf8')
  const parts: Uint8Array[] = []
  for (const piece of pieces) {
    parts.push(Buffer.from(piece, 'utf8'))
    yield
  }
  return Buffer.concat(parts)
}

/** `{"b64": "…"}` with no other key. */
function * readBase64 (cursor: Cursor): Pieces<Uint8Array> {
  cursor.expect(OBJECT)
  if (cursor.peek() !== QUOTE || readShortString(cursor) !== 'b64') unexpected()
  cursor.expect(COLON)
  const pieces = yield * readStringPieces(cursor)
  cursor.expect(OBJECT_END)
  return yield * decodePieces(pieces)
}

/** Base64 cut anywhere. */
function * decodePieces (pieces: readonly string[]): Pieces<Uint8Array> {
  const parts: Uint8Array[] = []
  let rest = ''
  for (const [index, piece] of pieces.entries()) {
    const text = rest + piece
    const isLast = index === pieces.length - 1
    const end = isLast ? text.length : text.length - text.length % 4
    const bytes = decodeBase64(text.slice(0, end))
    if (bytes === undefined || (!isLast && bytes.length !== end / 4 * 3)) unexpected()
    parts.push(bytes)
    rest = text.slice(end)
    if (!isLast) yield
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}
