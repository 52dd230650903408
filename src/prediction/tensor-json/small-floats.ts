/** A float of 16 bits: how many of them are exponent and mantissa. */
export interface FloatLayout { readonly exponentBits: number, readonly mantissaBits: number }

/** IEEE 754 half precision. */
export const FLOAT16: FloatLayout = { exponentBits: 5, mantissaBits: 10 }
/** The upper half of a float32. */
export const BFLOAT16: FloatLayout = { exponentBits: 8, mantissaBits: 7 }

const float64 = new DataView(new ArrayBuffer(8))

/**
 * The bits of the nearest float, ties to even; straight from float64, so it is rounded once.
 *
 * @returns 0–65535; ±infinity's bits where the value is too large for the layout
 */
export function toFloatBits (value: number, { exponentBits, mantissaBits }: FloatLayout): number {
  const infinity = ((1 << exponentBits) - 1) << mantissaBits
  if (Number.isNaN(value)) return infinity | (1 << (mantissaBits - 1))
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const bias = (1 << (exponentBits - 1)) - 1
  const exponent = Math.max(exponentOf(value), 1 - bias)
  if (exponent > bias) return sign | infinity
  // A carry out of the mantissa moves into the exponent by itself, also from subnormal to normal and from largest to infinity.
  const mantissa = roundToEven(Math.abs(value) * 2 ** (mantissaBits - exponent))
  return sign | (((exponent + bias - 1) << mantissaBits) + mantissa)
}

/** The number that 16 bits stand for; exact. */
export function fromFloatBits (bits: number, { exponentBits, mantissaBits }: FloatLayout): number {
  const bias = (1 << (exponentBits - 1)) - 1
  const sign = (bits & 0x8000) === 0 ? 1 : -1
  const exponent = (bits & 0x7fff) >> mantissaBits
  const mantissa = bits & ((1 << mantissaBits) - 1)
  if (exponent === (1 << exponentBits) - 1) return mantissa === 0 ? sign * Infinity : NaN
  if (exponent === 0) return sign * mantissa * 2 ** (1 - bias - mantissaBits)
  return sign * (mantissa + 2 ** mantissaBits) * 2 ** (exponent - bias - mantissaBits)
}

/** The power of two at or below |value|; −1023 for zero and float64's own subnormals, 1024 for infinity. */
function exponentOf (value: number): number {
  float64.setFloat64(0, value)
  return ((float64.getUint16(0) >> 4) & 0x7ff) - 1023
}

/** @param value 0 to 2^11 */
function roundToEven (value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}
