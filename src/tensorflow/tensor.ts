import koffi from 'koffi'
import { api, libc } from './library.ts'
import type { Pointer } from './c-api.ts'
import {
  allocateArray, bytesOf, dtypeCode, dtypeFromCode, dtypeSizeBytes, elementCount, isValueDType, numbersPerElement,
  type NumericArray, type TensorData, type TensorParts, type TensorValue, type ValueDType
} from './dtype.ts'
import { decodeStrings, layOutStrings } from './strings.ts'

/**
 * A tensor in TensorFlow's memory. Whoever makes it owns it and calls `dispose` once, also when a run fails; feeding it to a run does
 * not take it. Use it where bytes are to be written straight into place, as a batch's rows; elsewhere a `TensorValue` will do.
 */
export class Tensor {
  readonly dtype: ValueDType
  readonly shape: readonly number[]
  #pointer: Pointer
  readonly #sizeBytes: number

  private constructor (dtype: ValueDType, shape: readonly number[], pointer: Pointer, sizeBytes: number) {
    this.dtype = dtype
    this.shape = shape
    this.#pointer = pointer
    this.#sizeBytes = sizeBytes
  }

  /** Copies a value into TensorFlow's memory. @throws RangeError if data and shape disagree */
  static from (value: TensorValue | TensorParts): Tensor {
    if ('parts' in value) return Tensor.#fromParts(value)
    checkValue(value)
    if (value.dtype === 'string') return Tensor.#fromStrings(value.shape, value.data as readonly Uint8Array[])
    const bytes = bytesOf(value.data as NumericArray)
    const tensor = Tensor.#allocate(value.dtype, value.shape, bytes.byteLength)
    if (bytes.byteLength > 0) libc().memcpy(api().TF_TensorData(tensor.#pointer), bytes, bytes.byteLength)
    return tensor
  }

  static #fromParts ({ dtype, shape, parts }: TensorParts): Tensor {
    const expected = elementCount(shape) * dtypeSizeBytes(dtype)
    const sizeBytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
    if (sizeBytes !== expected) throw new RangeError(`Expected ${expected} bytes for ${dtype} [${shape.join(', ')}] but received ${sizeBytes}`)
    const tensor = Tensor.#allocate(dtype, shape, sizeBytes)
    let at = sizeBytes === 0 ? 0n : api().TF_TensorData(tensor.#pointer)!
    for (const part of parts) {
      if (part.byteLength > 0) libc().memcpy(at, bytesOf(part), part.byteLength)
      at += BigInt(part.byteLength)
    }
    return tensor
  }

  static #fromStrings (shape: readonly number[], strings: readonly Uint8Array[]): Tensor {
    const { elements, long, sizeBytes } = layOutStrings(strings)
    const tensor = Tensor.#allocate('string', shape, sizeBytes)
    if (sizeBytes === 0) return tensor
    const data = api().TF_TensorData(tensor.#pointer)!
    libc().memcpy(data, elements, elements.byteLength)
    for (const { at, bytes } of long) libc().memcpy(data + BigInt(at), bytes, bytes.byteLength)
    return tensor
  }

  /** Takes over a TF_Tensor that TensorFlow made. @throws Error as `readTensor` */
  static adopt (pointer: Pointer): Tensor {
    const { dtype, shape } = describe(pointer)
    return new Tensor(dtype, shape, pointer, Number(api().TF_TensorByteSize(pointer)))
  }

  /** A scalar string of no bytes, its element to be written through `bytes`. */
  static emptyString (): Tensor {
    return Tensor.#fromStrings([], [new Uint8Array(0)])
  }

  /** Uninitialized memory for numbers of this type and shape, to be written through `bytes`. */
  static allocate (dtype: Exclude<ValueDType, 'string'>, shape: readonly number[]): Tensor {
    return Tensor.#allocate(dtype, shape, elementCount(shape) * dtypeSizeBytes(dtype))
  }

  static #allocate (dtype: ValueDType, shape: readonly number[], sizeBytes: number): Tensor {
    const dims = BigInt64Array.from(shape, BigInt)
    const pointer = api().TF_AllocateTensor(dtypeCode(dtype), dims, shape.length, sizeBytes)
    if (pointer === null) throw new Error(`TensorFlow could not allocate ${sizeBytes} bytes`)
    return new Tensor(dtype, shape, pointer, sizeBytes)
  }

  /** In TensorFlow's memory; of strings, what their elements take. */
  get sizeBytes (): number {
    return this.#sizeBytes
  }

  /** TensorFlow's own memory, of the caller to write until `dispose`; never to be touched after. */
  get bytes (): Uint8Array {
    if (this.#sizeBytes === 0) return new Uint8Array(0)
    return new Uint8Array(koffi.view(api().TF_TensorData(this.pointer), this.#sizeBytes))
  }

  /** The TF_Tensor, for calls in this folder. */
  get pointer (): Pointer {
    if (this.#pointer === null) throw new Error('The tensor is disposed. This is a bug.')
    return this.#pointer
  }

  /** Frees the memory as soon as no run uses it any more. Idempotent. */
  dispose (): void {
    if (this.#pointer !== null) api().TF_DeleteTensor(this.#pointer)
    this.#pointer = null
  }
}

/**
 * Copies a TF_Tensor that TensorFlow made into JavaScript's memory. Does not free it.
 *
 * @throws Error if its type has no values in JavaScript (resource, variant, quantized)
 */
export function readTensor (pointer: Pointer): TensorValue {
  const { dtype, shape } = describe(pointer)
  return { dtype, shape, data: readData(pointer, dtype, elementCount(shape)) }
}

/**
 * Copies the numbers of a TF_Tensor, of any type, into memory that is there already.
 *
 * @throws RangeError if they are not as many bytes
 */
export function copyNumbers (pointer: Pointer, into: NumericArray): void {
  const c = api()
  const sizeBytes = Number(c.TF_TensorByteSize(pointer))
  if (into.byteLength !== sizeBytes) throw new RangeError(`Expected memory of ${sizeBytes} bytes but received ${into.byteLength}`)
  if (sizeBytes > 0) libc().memcpy(into, c.TF_TensorData(pointer), sizeBytes)
}

function describe (pointer: Pointer): Pick<TensorValue, 'dtype' | 'shape'> {
  const c = api()
  const code = c.TF_TensorType(pointer)
  const dtype = dtypeFromCode(code)
  if (dtype === undefined || !isValueDType(dtype)) throw new Error(`A tensor of TensorFlow's type ${dtype ?? code} has no value outside TensorFlow`)
  const shape = Array.from({ length: c.TF_NumDims(pointer) }, (_, index) => Number(c.TF_Dim(pointer, index)))
  return { dtype, shape }
}

function readData (pointer: Pointer, dtype: ValueDType, count: number): TensorData {
  if (dtype === 'string') return decodeStrings(api().TF_TensorData(pointer), count)
  const data = allocateArray(dtype, count)
  if (data.byteLength > 0) libc().memcpy(data, api().TF_TensorData(pointer), data.byteLength)
  return data
}

function checkValue ({ dtype, shape, data }: TensorValue): void {
  const expected = elementCount(shape) * numbersPerElement(dtype)
  if (!shape.every(side => Number.isSafeInteger(side) && side >= 0)) throw new RangeError(`Expected a shape of whole numbers but received [${shape.join(', ')}]`)
  if (data.length !== expected) throw new RangeError(`Expected ${expected} values for ${dtype} [${shape.join(', ')}] but received ${data.length}`)
  if (dtype !== 'string' && (data as NumericArray).BYTES_PER_ELEMENT * numbersPerElement(dtype) !== dtypeSizeBytes(dtype)) {
    throw new RangeError(`Expected elements of ${dtypeSizeBytes(dtype)} bytes for ${dtype} but received ${data.constructor.name}`)
  }
}
