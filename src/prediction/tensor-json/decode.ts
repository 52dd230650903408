import { BadTensorError } from '../../errors.ts'
import { elementCount, isValueDType, numbersPerElement, type DType, type TensorValue, type ValueDType } from '../../tensorflow/dtype.ts'
import { ElementError, elementWriter, type ElementWriter } from './elements.ts'
import { atOnce, type Pieces } from './in-turns.ts'

/** As many as a TensorFlow shape can have. */
export const MAX_RANK = 254
/** Lists or elements of one list between two yields. */
const PIECE = 2048

/**
 * Turns nested lists, or a single value, into a tensor. A complex number is a list of two: real, imaginary.
 *
 * @param value what `parseJson` gave
 * @param input the input's name, for messages
 * @throws BadTensorError naming the input, the place in it and what is allowed there
 */
export function decodeTensor (value: unknown, dtype: DType, input: string): TensorValue {
  return atOnce(decodeInPieces(value, dtype, input))
}

/** As `decodeTensor`, in pieces. */
export function * decodeInPieces (value: unknown, dtype: DType, input: string): Pieces<TensorValue> {
  if (!isValueDType(dtype)) throw new BadTensorError(input, `is of type ${dtype}, which can not be sent`)
  const sides = sidesOf(value, input)
  yield * checkSides(value, sides, [], input)
  const writer = elementWriter(dtype, elementCount(sides) / numbersPerElement(dtype))
  yield * fill(value, sides.length, writer, 0, [], input)
  return { dtype, shape: shapeOf(sides, dtype, input), data: writer.data }
}

/** The lengths of the first list on each level; `checkSides` makes sure that the others agree. */
function sidesOf (value: unknown, input: string): number[] {
  const sides: number[] = []
  for (let level = value; Array.isArray(level); level = level[0]) {
    sides.push(level.length)
    if (sides.length > MAX_RANK) throw new BadTensorError(input, `has more than ${MAX_RANK} dimensions`)
  }
  return sides
}

/** Holds every list to its level's length, before any memory is taken for the whole. */
function * checkSides (value: unknown, sides: readonly number[], place: number[], input: string): Pieces<void> {
  const side = sides[place.length]
  if (side === undefined) return
  if (!Array.isArray(value)) throw new BadTensorError(input, `has a single value at ${show(place)} where a list of ${side} is needed`)
  if (value.length !== side) throw new BadTensorError(input, `is ragged: the list at ${show(place)} has ${value.length} elements, the first of its level ${side}`)
  if (place.length === sides.length - 1) return
  for (let index = 0; index < side; index++) {
    place.push(index)
    yield * checkSides(value[index], sides, place, input)
    place.pop()
    if (index % PIECE === PIECE - 1) yield
  }
}

/** Writes everything under `value`, which stands at `place`, from element `first` on; returns the element after it. */
function * fill (value: unknown, rank: number, writer: ElementWriter, first: number, place: number[], input: string): Pieces<number> {
  if (place.length >= rank - 1) return yield * fillLast(place.length === rank ? [value] : value as unknown[], writer, first, place, rank, input)
  let next = first
  for (const [index, list] of (value as unknown[]).entries()) {
    place.push(index)
    next = yield * fill(list, rank, writer, next, place, input)
    place.pop()
    if (index % PIECE === PIECE - 1) yield
  }
  return next
}

function * fillLast (list: unknown[], writer: ElementWriter, first: number, place: readonly number[], rank: number, input: string): Pieces<number> {
  let index = 0
  try {
    for (; index < list.length; index++) {
      writer.write(first + index, list[index])
      if (index % PIECE === PIECE - 1) yield
    }
  } catch (error) {
    if (!(error instanceof ElementError)) throw error
    throw new BadTensorError(input, rank === 0 ? error.message : `${error.message}, at ${show([...place, index])}`)
  }
  return first + list.length
}

/** The tensor's shape: the lists' lengths, but for a complex type without the pairs' own. */
function shapeOf (sides: number[], dtype: ValueDType, input: string): number[] {
  if (numbersPerElement(dtype) === 1) return sides
  if (sides.at(-1) !== 2) throw new BadTensorError(input, `is of type ${dtype}: each number is a list of two, [real, imaginary]`)
  return sides.slice(0, -1)
}

function show (place: readonly number[]): string {
  return place.length === 0 ? 'the top' : place.map(index => `[${index}]`).join('')
}
