import { BadRequestError } from '../../errors.ts'
import { COLON, COMMA, Cursor, LIST, LIST_END, MINUS, OBJECT, OBJECT_END, QUOTE, unexpected, UnexpectedError } from './cursor.ts'
import type { Pieces } from './in-turns.ts'
import { nonFiniteValue } from './json-text.ts'
import { isDigit, readNumber, skipDigits } from './read-number.ts'
import { readStringPieces } from './read-string.ts'

/** Digits and sign of an integer that float64 may not hold. */
const LONG_INTEGER = 16
/** Bytes between two yields. */
const PIECE_BYTES = 16_384

/** A list or an object that is being read. */
type Open = { kind: 'list', values: unknown[] } | { kind: 'object', values: Record<string, unknown>, key: string }

export interface ParseOptions {
  /** Integers of 16 digits and more come as bigint. */
  readonly isExact?: boolean
  /** NaN and infinities are there: @see nonFiniteValue. Without this they are no JSON. */
  readonly takesNonFinite?: boolean
}

/** The largest body that JavaScript's own parser reads in a few milliseconds. */
export const PARSED_AT_ONCE_BYTES = 65_536

/**
 * Parses JSON as JavaScript does, in pieces: several times slower in all.
 *
 * @param body UTF-8
 * @throws BadRequestError with the place where the text stops being JSON
 */
export function * parseInPieces (body: Uint8Array, options: ParseOptions = {}): Pieces<unknown> {
  const cursor = new Cursor(body)
  try {
    return yield * new ValueReader(cursor, options).read()
  } catch (error) {
    if (!(error instanceof UnexpectedError)) throw error
    throw new BadRequestError(`The body is not JSON: ${cursor.at < body.byteLength ? `byte ${cursor.at} is not expected there` : 'it ends too early'}`)
  }
}

class ValueReader {
  readonly #cursor: Cursor
  readonly #isExact: boolean
  readonly #words: typeof WORDS
  readonly #open: Open[] = []

  constructor (cursor: Cursor, { isExact = false, takesNonFinite = false }: ParseOptions) {
    this.#cursor = cursor
    this.#isExact = isExact
    this.#words = takesNonFinite ? MORE_WORDS : WORDS
  }

  * read (): Pieces<unknown> {
    let nextYieldAt = PIECE_BYTES
    for (;;) {
      const value = this.#cursor.peek() === LIST || this.#cursor.peek() === OBJECT ? yield * this.#begin() : yield * this.#scalar()
      if (value !== undefined) {
        const whole = yield * this.#end(value)
        if (whole !== undefined) return this.#cursor.peek() === -1 ? whole : unexpected()
      }
      if (this.#cursor.at < nextYieldAt) continue
      nextYieldAt = this.#cursor.at + PIECE_BYTES
      yield
    }
  }

  /** @returns a list or an object that is empty; undefined if its first value comes next */
  * #begin (): Pieces<unknown> {
    if (this.#cursor.skip(LIST)) {
      if (this.#cursor.skip(LIST_END)) return []
      this.#open.push({ kind: 'list', values: emptyList() })
    } else {
      this.#cursor.expect(OBJECT)
      if (this.#cursor.skip(OBJECT_END)) return {}
      this.#open.push({ kind: 'object', values: {}, key: yield * this.#key() })
    }
    return undefined
  }

  /** Puts a value into what is open and ends what ends with it; @returns the outermost value, if that has ended. */
  * #end (value: unknown): Pieces<unknown> {
    for (;;) {
      const open = this.#open.at(-1)
      if (open === undefined) return value
      put(open, value)
      if (this.#cursor.skip(COMMA)) {
        if (open.kind === 'object') open.key = yield * this.#key()
        return undefined
      }
      this.#cursor.expect(open.kind === 'list' ? LIST_END : OBJECT_END)
      this.#open.pop()
      value = open.values
    }
  }

  * #key (): Pieces<string> {
    if (this.#cursor.peek() !== QUOTE) unexpected()
    const pieces = yield * readStringPieces(this.#cursor)
    this.#cursor.expect(COLON)
    return pieces.join('')
  }

  * #scalar (): Pieces<unknown> {
    const cursor = this.#cursor
    const byte = cursor.peek()
    if (byte === QUOTE) return (yield * readStringPieces(cursor)).join('')
    if (isDigit(byte) || (byte === MINUS && isDigit(cursor.bytes[cursor.at + 1]))) return this.#number()
    for (const [word, value] of this.#words) if (cursor.skipWord(word)) return value
    return unexpected()
  }

  #number (): number | bigint {
    const { at, bytes } = this.#cursor
    const number = readNumber(this.#cursor)
    const end = this.#cursor.at
    if (!this.#isExact || end - at < LONG_INTEGER || skipDigits(bytes, bytes[at] === MINUS ? at + 1 : at) !== end) return number
    return BigInt(bytes.toString('latin1', at, end))
  }
}

const WORDS: ReadonlyArray<readonly [word: string, value: unknown]> = [['true', true], ['false', false], ['null', null]]
const MORE_WORDS: typeof WORDS = [
  ...WORDS,
  ...[NaN, Infinity, -Infinity].map(number => [String(number), nonFiniteValue(number)] as const)
]

/** A list of anything: one of numbers alone is made anew, all of it at once, where something else is put into it. */
function emptyList (): unknown[] {
  const list: unknown[] = [null]
  list.pop()
  return list
}

function put (open: Open, value: unknown): void {
  if (open.kind === 'list') open.values.push(value)
  else if (open.key !== '__proto__') open.values[open.key] = value
  else Object.defineProperty(open.values, open.key, { value, writable: true, enumerable: true, configurable: true })
}
