import { allocateArray, bytesOf, elementCount, type TensorValue, type ValueDType } from '../../src/tensorflow/dtype.ts'
import { seededRandom } from '../../src/training/random.ts'

/** Every type but strings. */
export const NUMERIC: ValueDType[] = ['float16', 'bfloat16', 'float32', 'float64', 'complex64', 'complex128', 'int8', 'int16', 'int32', 'int64',
  'uint8', 'uint16', 'uint32', 'uint64', 'bool']

/** Whole numbers from `least` to `largest`, the same for the same seed. */
export type Integers = (least: number, largest: number) => number

export function seededIntegers (seed: number): Integers {
  const random = seededRandom(seed)
  return (least, largest) => least + Math.floor(random() * (largest - least + 1))
}

/** A tensor of any bits that the type allows; NaN's own payload is one. */
export function anyTensor (integer: Integers, dtype: ValueDType): TensorValue {
  const shape = Array.from({ length: integer(0, 4) }, () => integer(1, 4))
  const data = allocateArray(dtype, elementCount(shape))
  const bytes = bytesOf(data)
  for (let index = 0; index < bytes.length; index++) bytes[index] = dtype === 'bool' ? integer(0, 1) : integer(0, 255)
  return { dtype, shape, data }
}
