import { MINUS, POINT, unexpected, type Cursor } from './cursor.ts'

const ZERO = 0x30
/** Those that float64 holds exactly. */
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))
const LARGEST_POWER = 22
/** Digits that come to no more are exact, and so was every step on the way. */
const EXACT = Number.MAX_SAFE_INTEGER
/** Digits of which float64's arithmetic makes a value that is right to {@link UNSURE}: each may add half a unit in the last place. */
const MOST_DIGITS = 40
/** A float32 can be larger, but not by much. */
const SURELY_FLOAT32 = 1e38
/** How far a value is from the right one at most, as a share of it. */
const UNSURE = 2 ** -46
/** Digits of each of the two integers that a longer number is made of. */
const HALF_DIGITS = 9
/** Bytes of a number. A longer one could take more than a few milliseconds. */
const MAX_LENGTH = 65_536
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** Where the number that {@link quickNumber} gave last ends. */
export let numberEnd = 0

/**
 * Reads the JSON number at the cursor, rounded as `Number` does.
 *
 * @throws UnexpectedError if there is none, or one of over 65536 bytes
 */
export function readNumber (cursor: Cursor): number {
  const value = quickNumber(cursor.bytes, cursor.at)
  if (Number.isNaN(value)) return readText(cursor)
  cursor.at = numberEnd
  return value
}

/**
 * Reads a JSON number without an exponent that float64's arithmetic rounds right.
 *
 * @param isFloat32 it becomes a float32: with many digits half the time is enough to know which
 * @returns NaN if there is none; it ends at {@link numberEnd}
 */
// eslint-disable-next-line complexity -- in one piece it takes half the time
export function quickNumber (bytes: Uint8Array, from: number, isFloat32 = false): number {
  const isNegative = bytes[from] === MINUS
  const first = isNegative ? from + 1 : from
  let at = first
  let value = 0
  let digit = bytes[at]! - ZERO
  for (; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO) value = value * 10 + digit
  const point = at
  if (point === first || (point > first + 1 && bytes[first] === ZERO)) return NaN
  if (digit === POINT - ZERO) {
    digit = bytes[++at]! - ZERO
    while (digit >= 0 && digit <= 9) { // two at a time: each step waits for the one before
      const next = bytes[++at]! - ZERO
      if (next >= 0 && next <= 9) {
        value = value * 100 + (digit * 10 + next)
        digit = bytes[++at]! - ZERO
      } else {
        value = value * 10 + digit
        digit = next
      }
    }
    if (at === point + 1) return NaN
  }
  if (digit === 0x65 - ZERO || digit === 0x45 - ZERO) return NaN
  numberEnd = at
  if (point !== at) {
    const decimals = at - point - 1
    if (decimals <= LARGEST_POWER && value <= EXACT) value /= POWERS_OF_TEN[decimals]!
    else value = isFloat32 ? longFloat32(value, at - first, decimals) : longDecimal(bytes, first, point, at)
  } else if (value > EXACT) return NaN
  return isNegative ? -value : value
}

/** The text of a number from `at` on, as JSON writes it; the cursor goes behind it. */
function numberText (cursor: Cursor, at: number, end: number): string {
  if (end - at > MAX_LENGTH) unexpected()
  const text = cursor.bytes.toString('latin1', at, end)
  if (!NUMBER.test(text)) unexpected()
  cursor.at = end
  return text
}

function readText (cursor: Cursor): number {
  const { bytes, at } = cursor
  const point = skipDigits(bytes, bytes[at] === MINUS ? at + 1 : at)
  const end = bytes[point] === POINT ? skipDigits(bytes, point + 1) : point
  return Number(numberText(cursor, at, endOfNumber(bytes, end)))
}

function endOfNumber (bytes: Uint8Array, from: number): number {
  const byte = bytes[from]
  if (byte !== 0x65 && byte !== 0x45) return from
  const sign = bytes[from + 1]
  return skipDigits(bytes, sign === 0x2b || sign === MINUS ? from + 2 : from + 1)
}

export function skipDigits (bytes: Uint8Array, from: number): number {
  let at = from
  while (isDigit(bytes[at])) at++
  return at
}

export function isDigit (byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 0x39
}

/**
 * The value of 16 to 18 digits with a point among or before them.
 *
 * @returns NaN where there are more, or where it takes more than float64's arithmetic to round it right
 */
function longDecimal (bytes: Uint8Array, first: number, point: number, end: number): number {
  const start = skipZeros(bytes, first, end)
  const hasPoint = start < point
  const digits = hasPoint ? end - start - 1 : end - start
  const decimals = end - point - 1
  if (decimals > LARGEST_POWER || digits <= HALF_DIGITS || digits > 2 * HALF_DIGITS) return NaN
  const split = start + HALF_DIGITS + (hasPoint && point < start + HALF_DIGITS ? 1 : 0)
  return divideExactly(readDigits(bytes, start, split), readDigits(bytes, split, end), digits - HALF_DIGITS, decimals)
}

/**
 * The float32 that a number rounds to.
 *
 * @param value of its digits, rounded at each of them, or every other
 * @returns NaN where another one might be nearer to the number itself, and where there are too many digits or it may be too large
 */
function longFloat32 (value: number, digits: number, decimals: number): number {
  if (decimals > LARGEST_POWER || digits > MOST_DIGITS) return NaN
  const quotient = value / POWERS_OF_TEN[decimals]!
  const nearest = Math.fround(quotient)
  if (quotient > SURELY_FLOAT32) return NaN
  const error = quotient * UNSURE
  return Math.fround(quotient - error) === nearest && Math.fround(quotient + error) === nearest ? nearest : NaN
}

function skipZeros (bytes: Uint8Array, first: number, end: number): number {
  let at = first
  while (at < end && (bytes[at] === ZERO || bytes[at] === POINT)) at++
  return at
}

function readDigits (bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte !== POINT) value = value * 10 + (byte - ZERO)
  }
  return value
}

/**
 * (high · 10^lowDigits + low) / 10^decimals, in arithmetic of twice float64's digits.
 *
 * @param high below 10^9
 * @param low below 10^lowDigits, which is 10^9 at the most
 * @param decimals 1 to 22
 * @returns NaN where the result lies too near the middle of two numbers to be sure which one is nearer
 */
function divideExactly (high: number, low: number, lowDigits: number, decimals: number): number {
  const scale = POWERS_OF_TEN[lowDigits]!
  const product = high * scale
  const sum = product + low
  const sumRest = low - (sum - product) + productRest(high, scale, product)
  const whole = sum + sumRest
  const wholeRest = sumRest - (whole - sum)
  const divisor = POWERS_OF_TEN[decimals]!
  const quotient = whole / divisor
  const back = quotient * divisor
  const correction = (whole - back - productRest(quotient, divisor, back) + wholeRest) / divisor
  const result = quotient + correction
  const rest = correction - (result - quotient)
  const error = Math.abs(correction) * 2 ** -46
  return result + (rest - error) === result && result + (rest + error) === result ? result : NaN
}

const SPLITTER = 2 ** 27 + 1

/**
 * What rounding took from a product: left · right − product, exactly.
 *
 * @see Dekker, A floating-point technique for extending the available precision, 1971
 */
function productRest (left: number, right: number, product: number): number {
  const leftScaled = SPLITTER * left
  const leftHigh = leftScaled - (leftScaled - left)
  const leftLow = left - leftHigh
  const rightScaled = SPLITTER * right
  const rightHigh = rightScaled - (rightScaled - right)
  const rightLow = right - rightHigh
  return ((leftHigh * rightHigh - product) + leftHigh * rightLow + leftLow * rightHigh) + leftLow * rightLow
}
