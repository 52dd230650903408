import { allocateArray, elementCount, type NumericArray, type TensorValue } from '../tensorflow/index.ts'

/** Tensors of the same shape but for their rows, one below the other. */
export function stackRows (tensors: readonly TensorValue[]): TensorValue {
  const [first] = tensors
  if (first === undefined) throw new RangeError('Expected at least one tensor')
  const rows = tensors.reduce((sum, { shape }) => sum + shape[0]!, 0)
  const data = allocateArray(first.dtype, rows * elementCount(first.shape.slice(1)))
  let offset = 0
  for (const tensor of tensors) {
    data.set(tensor.data as never, offset)
    offset += (tensor.data as NumericArray).length
  }
  return { dtype: first.dtype, shape: [rows, ...first.shape.slice(1)], data }
}

/** Rows `first` to `first + count` of a tensor of numbers, then the last of them again until there are `size`. Not copied where `size` is `count`. */
export function takeRows ({ dtype, shape, data }: TensorValue, first: number, count: number, size: number): TensorValue {
  const numbers = data as NumericArray
  const rowLength = numbers.length / (shape[0] as number)
  const rows = numbers.subarray(first * rowLength, (first + count) * rowLength)
  const tensor = { dtype, shape: [size, ...shape.slice(1)] }
  if (count === size) return { ...tensor, data: rows }
  const filled = new (numbers.constructor as new (length: number) => Uint8Array)(size * rowLength)
  filled.set(rows as Uint8Array)
  for (let row = count; row < size; row++) filled.set(rows.subarray((count - 1) * rowLength) as Uint8Array, row * rowLength)
  return { ...tensor, data: filled }
}
