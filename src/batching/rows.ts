import { allocateArray, elementCount, type NumericArray, type TensorParts, type TensorValue } from '../tensorflow/index.ts'
import type { Tensors } from './run-request.ts'

/** Tensors of the same shape but for their rows, one below the other. */
export function stackRows (tensors: readonly TensorValue[]): TensorValue {
  const [first] = tensors
  if (first === undefined) throw new RangeError('Expected at least one tensor')
  if (tensors.length === 1) return first
  const shape = [tensors.reduce((sum, { shape }) => sum + shape[0]!, 0), ...first.shape.slice(1)]
  if (first.dtype === 'string') return { dtype: 'string', shape, data: tensors.flatMap(({ data }) => data as readonly Uint8Array[]) }
  const data = allocateArray(first.dtype, elementCount(shape))
  let offset = 0
  for (const tensor of tensors) {
    data.set(tensor.data as never, offset)
    offset += (tensor.data as NumericArray).length
  }
  return { dtype: first.dtype, shape, data }
}

/** As `stackRows`, with the last row again until there are `size`; numbers stay where they are. */
export function stackParts (tensors: readonly TensorValue[], size: number): TensorValue | TensorParts {
  const rows = tensors.reduce((sum, { shape }) => sum + shape[0]!, 0)
  const last = tensors.at(-1)!
  if (tensors.length === 1 && rows === size) return last
  const filling = new Array<TensorValue>(size - rows).fill(takeRows(last, last.shape[0]! - 1, 1))
  const { dtype, shape } = last
  if (dtype === 'string') return stackRows([...tensors, ...filling])
  return { dtype, shape: [size, ...shape.slice(1)], parts: [...tensors, ...filling].map(({ data }) => data as NumericArray) }
}

/** Rows `first` to `first + count` of a tensor, then the last of them again until there are `size`. Numbers are not copied where `size` is `count`. */
export function takeRows (tensor: TensorValue, first: number, count: number, size = count): TensorValue {
  const { dtype, shape, data } = tensor
  if (first === 0 && count === shape[0] && size === count) return tensor
  const rowLength = data.length / shape[0]!
  const rows = dtype === 'string'
    ? (data as readonly Uint8Array[]).slice(first * rowLength, (first + count) * rowLength)
    : (data as NumericArray).subarray(first * rowLength, (first + count) * rowLength)
  const taken: TensorValue = { dtype, shape: [count, ...shape.slice(1)], data: rows }
  if (count === size) return taken
  const last: TensorValue = { dtype, shape: [1, ...shape.slice(1)], data: rows.slice((count - 1) * rowLength) }
  return stackRows([taken, ...new Array<TensorValue>(size - count).fill(last)])
}

/** The first side that all tensors have in common. @returns undefined if they have none, or it is 0 */
export function rowsOf (tensors: Tensors): number | undefined {
  const sides = Object.values(tensors).map(({ shape }) => shape[0])
  const [rows] = sides
  return rows === undefined || rows === 0 || sides.some(side => side !== rows) ? undefined : rows
}

/** What rows must have in common to go into one run: their types, and their shapes but for the rows. */
export function rowType (tensors: Tensors): string {
  return Object.keys(tensors).sort().map(name => `${name}:${tensors[name]!.dtype}[${tensors[name]!.shape.slice(1).join()}]`).join()
}
