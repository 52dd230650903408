import { DatasetError } from '../errors.ts'
import { allocateArray, type NumericArray, type Output, type TensorValue, type ValueDType } from '../tensorflow/index.ts'

/** A placeholder with what it takes, looked up once. */
export interface Feed {
  readonly output: Output
  readonly dtype: ValueDType
  /** −1 for a free dimension. */
  readonly shape: readonly number[]
  /** As errors name it: `input "pixels"`. */
  readonly name: string
}

export function feedOf (output: Output, name: string): Feed {
  return { output, dtype: output.dtype as ValueDType, shape: output.shape ?? [], name }
}

/**
 * Fits a batch's tensor to a placeholder: numbers of another type are converted, a last dimension of 1 is added or taken away.
 *
 * @throws DatasetError if the shape differs otherwise
 */
export function fit ({ output, dtype, shape, name }: Feed, value: TensorValue | undefined): readonly [Output, TensorValue] {
  if (value === undefined) throw new DatasetError(`The batch has no tensor for ${name}`)
  if (value.dtype === dtype && isShape(value.shape, shape)) return [output, value]
  const fitted = fittedShape(value.shape, shape)
  if (fitted === undefined) throw new DatasetError(`Expected shape [${shape.map(side => side < 0 ? 'rows' : side).join(', ')}] for ${name} but received [${value.shape.join(', ')}]`)
  return [output, { dtype, shape: fitted, data: converted(value, dtype, name) }]
}

function fittedShape (given: readonly number[], wanted: readonly number[]): readonly number[] | undefined {
  return [given, [...given, 1], given.at(-1) === 1 ? given.slice(0, -1) : given].find(shape => isShape(shape, wanted))
}

function isShape (shape: readonly number[], wanted: readonly number[]): boolean {
  return shape.length === wanted.length && wanted.every((side, axis) => side < 0 || side === shape[axis])
}

function converted ({ dtype: from, data }: TensorValue, dtype: ValueDType, name: string): TensorValue['data'] {
  if (from === dtype) return data
  if (!PLAIN.has(from) || !PLAIN.has(dtype)) throw new DatasetError(`Expected ${dtype} for ${name} but received ${from}`)
  const target = allocateArray(dtype, data.length)
  target.set(data as NumericArray as never)
  return target
}

/** Types whose arrays hold the numbers as JavaScript has them. */
const PLAIN: ReadonlySet<ValueDType> = new Set<ValueDType>(['float32', 'float64', 'int8', 'int16', 'int32', 'uint8', 'uint16', 'uint32', 'bool'])
