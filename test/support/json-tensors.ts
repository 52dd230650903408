import type { Test } from 'tap'
import { allocateArray, numbersPerElement, elementCount, type TensorValue, type ValueDType } from '../../src/tensorflow/index.ts'

/** A tensor as ../shared/savedmodels records it: flat data, strings as text or {b64}. */
export interface JsonTensor { dtype: ValueDType, shape: number[], data: (number | string | boolean | { b64: string })[] }

export function toValue ({ dtype, shape, data }: JsonTensor): TensorValue {
  if (dtype === 'string') return { dtype, shape, data: data.map(toBytes) }
  const array = allocateArray(dtype, elementCount(shape))
  const isBig = array instanceof BigInt64Array || array instanceof BigUint64Array
  for (let index = 0; index < elementCount(shape) * numbersPerElement(dtype); index++) array[index] = (isBig ? BigInt(data[index] as number) : Number(data[index]))
  return { dtype, shape, data: array }
}

function toBytes (element: JsonTensor['data'][number]): Uint8Array {
  return typeof element === 'object' ? Buffer.from(element.b64, 'base64') : new TextEncoder().encode(String(element))
}

/** Compares within `atol + rtol · |expected|`, element by element; strings and whole numbers exactly. */
export function sameTensor (t: Test, actual: TensorValue, expected: JsonTensor, { rtol, atol }: { rtol: number, atol: number }, name: string): void {
  t.strictSame([actual.dtype, actual.shape], [expected.dtype, expected.shape], `${name}: type and shape`)
  const wanted = toValue(expected).data
  const isClose = (index: number): boolean => {
    const [left, right] = [actual.data[index], wanted[index]]
    if (typeof left === 'number') return Math.abs(left - (right as number)) <= atol + rtol * Math.abs(right as number)
    return typeof left === 'bigint' ? left === right : Buffer.compare(left as Uint8Array, right as Uint8Array) === 0
  }
  const wrong = Array.from({ length: wanted.length }, (_, index) => index).find(index => !isClose(index))
  t.equal(wrong, undefined, `${name}: first element that differs`)
}
