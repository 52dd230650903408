import { allocateArray, elementCount, type NumericArray, type TensorValue } from '../../tensorflow/index.ts'

/** Rows that are learned from, or measured on, together. */
export interface Batch {
  /** One for each input of the model, [rows, …]. */
  readonly inputs: readonly TensorValue[]
  /** One for each output of the model, [rows, …]. */
  readonly targets: readonly TensorValue[]
  /** float32 [rows] or [rows, steps], one for each output: what each counts in the loss. */
  readonly weights?: readonly TensorValue[]
}

/** Examples with their answers. What it holds, and where, is its own affair. */
export interface Dataset {
  readonly rows: number
  /** @param rows which ones, in this order. While one batch is learned from, the next is asked for */
  batch (rows: Int32Array): Batch | Promise<Batch>
}

/**
 * A dataset in memory.
 *
 * @param inputs,targets,weights one tensor or several, all of the same first dimension
 */
export function tensorDataset (inputs: TensorValue | readonly TensorValue[], targets: TensorValue | readonly TensorValue[], weights?: TensorValue | readonly TensorValue[]): Dataset {
  const [inputList, targetList, weightList] = [toList(inputs), toList(targets), weights && toList(weights)]
  const counts = [...inputList, ...targetList, ...(weightList ?? [])].map(({ shape }) => shape[0])
  const [rows = 0] = counts
  if (counts.some(count => count !== rows)) throw new RangeError(`Expected as many rows in every tensor but received ${counts.join(', ')}`)
  return {
    rows,
    batch: chosen => ({
      inputs: inputList.map(tensor => gatherRows(tensor, chosen)),
      targets: targetList.map(tensor => gatherRows(tensor, chosen)),
      ...(weightList !== undefined && { weights: weightList.map(tensor => gatherRows(tensor, chosen)) })
    })
  }
}

/** Copies rows out of a tensor, in the order asked for. */
export function gatherRows (tensor: TensorValue, rows: Int32Array): TensorValue {
  const { dtype, shape, data } = tensor
  if (Array.isArray(data)) throw new TypeError('Expected numbers but received strings')
  const source = data as NumericArray
  const size = elementCount(shape.slice(1))
  const target = allocateArray(dtype, rows.length * size)
  rows.forEach((row, index) => { target.set(source.subarray(row * size, (row + 1) * size) as never, index * size) })
  return { dtype, shape: [rows.length, ...shape.slice(1)], data: target }
}

/** Row numbers from `start` up to `end`, that one left out. */
export function rowRange (start: number, end: number): Int32Array {
  return Int32Array.from({ length: end - start }, (_, index) => start + index)
}

function toList (tensors: TensorValue | readonly TensorValue[]): readonly TensorValue[] {
  return 'dtype' in tensors ? [tensors] : tensors
}
