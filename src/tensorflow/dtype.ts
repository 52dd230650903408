/**
 * TensorFlow's element types: their number in the C API, their size and the JavaScript array that holds their values exactly.
 *
 * @see tensorflow/c/tf_datatype.h and tensorflow/core/framework/types.proto
 */

/** Numbers from TF_DataType; sizes in bytes, 0 where an element has no fixed size. */
const TABLE = {
  float32: { code: 1, size: 4, array: Float32Array },
  float64: { code: 2, size: 8, array: Float64Array },
  int32: { code: 3, size: 4, array: Int32Array },
  uint8: { code: 4, size: 1, array: Uint8Array },
  int16: { code: 5, size: 2, array: Int16Array },
  int8: { code: 6, size: 1, array: Int8Array },
  string: { code: 7, size: 0, array: null },
  complex64: { code: 8, size: 8, array: Float32Array },
  int64: { code: 9, size: 8, array: BigInt64Array },
  bool: { code: 10, size: 1, array: Uint8Array },
  bfloat16: { code: 14, size: 2, array: Uint16Array },
  uint16: { code: 17, size: 2, array: Uint16Array },
  complex128: { code: 18, size: 16, array: Float64Array },
  float16: { code: 19, size: 2, array: Uint16Array },
  resource: { code: 20, size: 0, array: null },
  variant: { code: 21, size: 0, array: null },
  uint32: { code: 22, size: 4, array: Uint32Array },
  uint64: { code: 23, size: 8, array: BigUint64Array }
} as const

export type DType = keyof typeof TABLE

/** Types whose values JavaScript can hold; `resource` and `variant` live only inside TensorFlow. */
export type ValueDType = Exclude<DType, 'resource' | 'variant'>

/** Numeric data: complex values as pairs (real, imaginary); float16 and bfloat16 as their 16 bits; bool as 0 or 1. */
export type NumericArray = Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | BigInt64Array |
  Uint8Array | Uint16Array | Uint32Array | BigUint64Array

/** What a tensor holds, row-major: numbers, or for `string` one byte string for each element. */
export type TensorData = NumericArray | readonly Uint8Array[]

/** A tensor in JavaScript's own memory. `shape` is outermost first, [] for a scalar. */
export interface TensorValue {
  readonly dtype: ValueDType
  readonly shape: readonly number[]
  readonly data: TensorData
}

/** Numbers that lie in several arrays, one array's after the other's; they are put together where they are fed. */
export interface TensorParts {
  readonly dtype: Exclude<ValueDType, 'string'>
  readonly shape: readonly number[]
  readonly parts: readonly NumericArray[]
}

const BY_CODE = new Map<number, DType>(Object.entries(TABLE).map(([name, { code }]) => [code, name as DType]))

/** The number of a type in TensorFlow's C API and in its messages. */
export function dtypeCode (dtype: DType): number {
  return TABLE[dtype].code
}

/**
 * The type behind a number of the C API. A reference type of TensorFlow 1 (`float_ref`, 100 above) is given as the type it refers to.
 *
 * @returns undefined for the types that no session takes or gives (quantized ones, float8)
 */
export function dtypeFromCode (code: number): DType | undefined {
  return BY_CODE.get(code > 100 ? code - 100 : code)
}

/** Bytes of one element; 0 for `string`, `resource` and `variant`. */
export function dtypeSizeBytes (dtype: DType): number {
  return TABLE[dtype].size
}

export function isValueDType (dtype: DType): dtype is ValueDType {
  return dtype !== 'resource' && dtype !== 'variant'
}

/** Elements in a tensor of this shape; 1 for a scalar. */
export function elementCount (shape: readonly number[]): number {
  let count = 1
  for (const side of shape) count *= side
  return count
}

/** How many numbers of `numericArray` make one element: 2 for complex types. */
export function numbersPerElement (dtype: DType): number {
  return dtype === 'complex64' || dtype === 'complex128' ? 2 : 1
}

/**
 * A typed array over bytes that the caller owns.
 *
 * @param bytes length a multiple of the element's size; its offset too, else the bytes are copied
 */
export function numericArray (dtype: ValueDType, bytes: Uint8Array): NumericArray {
  const { array: ArrayType } = TABLE[dtype]
  if (ArrayType === null) throw new Error('A string tensor has no numeric array. This is a bug.')
  const { BYTES_PER_ELEMENT: unit } = ArrayType
  const aligned = bytes.byteOffset % unit === 0 ? bytes : new Uint8Array(bytes) // not slice(): a Buffer's shares memory
  return new ArrayType(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / unit)
}

/** A zeroed typed array for `count` elements. */
export function allocateArray (dtype: ValueDType, count: number): NumericArray {
  const { array: ArrayType } = TABLE[dtype]
  if (ArrayType === null) throw new Error('A string tensor has no numeric array. This is a bug.')
  return new ArrayType(count * numbersPerElement(dtype))
}

/** The bytes behind a typed array, without copying. */
export function bytesOf (data: NumericArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
