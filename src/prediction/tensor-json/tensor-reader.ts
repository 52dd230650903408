import type { TensorValue, ValueDType } from '../../tensorflow/dtype.ts'
import { numbersPerElement } from '../../tensorflow/dtype.ts'
import { COMMA, LIST, LIST_END, unexpected, type Cursor } from './cursor.ts'
import { MAX_RANK } from './decode.ts'
import { elementReader, type ElementReader } from './element-readers.ts'
import type { Pieces } from './in-turns.ts'

/** Bytes between two yields: what takes well under a millisecond. */
const PIECE_BYTES = 32_768

/**
 * Reads a tensor's nested lists from JSON's bytes straight into its array: as a whole, or row by row.
 *
 * It refuses what `decodeTensor` does, without saying why.
 */
export class TensorReader {
  readonly #dtype: ValueDType
  readonly #elements: ElementReader
  /** Lists that are open. */
  #depth: number
  /** Lists around an element; −1 until the first element or empty list is met. */
  #rank = -1
  /** What each open list holds so far. */
  readonly #counts: number[]
  /** The length that every list of a level has; −1 until the first ends. */
  readonly #sides: number[]
  #nextYieldAt = PIECE_BYTES

  /** @param byRow each `read` is of one row, and the rows together are the tensor */
  constructor (dtype: ValueDType, byRow: boolean) {
    this.#dtype = dtype
    this.#elements = elementReader(dtype)
    this.#depth = byRow ? 1 : 0
    this.#counts = byRow ? [0] : []
    this.#sides = byRow ? [-1] : []
  }

  /**
   * Reads the value at the cursor.
   *
   * @throws UnexpectedError
   */
  * read (cursor: Cursor): Pieces<void> {
    const outer = this.#depth
    do {
      if (cursor.peek() === LIST) {
        if (!this.#open(cursor)) continue
      } else {
        const run = this.#readElements(cursor, outer)
        this.#count(typeof run === 'number' ? run : yield * run)
      }
      while (this.#depth > outer && cursor.skip(LIST_END)) this.#close()
      if (this.#depth > outer) cursor.expect(COMMA)
      if (cursor.at > this.#nextYieldAt) {
        this.#nextYieldAt = cursor.at + PIECE_BYTES
        yield
      }
    } while (this.#depth > outer)
  }

  /** All that was read; of a complex type without the pairs' own side. */
  finish (): TensorValue {
    const sides = [...this.#sides]
    if (this.#depth === 1) sides[0] = this.#counts[0]!
    const data = this.#elements.finish()
    if (numbersPerElement(this.#dtype) === 1) return { dtype: this.#dtype, shape: sides, data }
    return sides.pop() === 2 ? { dtype: this.#dtype, shape: sides, data } : unexpected()
  }

  /** @returns whether the list has ended already, being empty */
  #open (cursor: Cursor): boolean {
    cursor.at++
    const level = this.#depth++
    if (level === MAX_RANK || (this.#rank !== -1 && level >= this.#rank)) unexpected()
    this.#counts[level] = 0
    if (level === this.#sides.length) this.#sides[level] = -1
    if (!cursor.skip(LIST_END)) return false
    this.#setRank()
    this.#close()
    return true
  }

  #readElements (cursor: Cursor, outer: number): number | Pieces<number> {
    this.#setRank()
    return this.#elements.readRun(cursor, this.#depth === outer ? 1 : Infinity)
  }

  /** The lists around the first element, or the first empty list and those around it, are those around all. */
  #setRank (): void {
    if (this.#rank === -1) this.#rank = this.#depth
    else if (this.#rank !== this.#depth) unexpected()
  }

  #count (elements: number): void {
    if (this.#depth > 0) this.#counts[this.#depth - 1]! += elements
  }

  /** Ends a list, which is an element of the list around it. */
  #close (): void {
    const level = --this.#depth
    const length = this.#counts[level]!
    if (this.#sides[level] === -1) this.#sides[level] = length
    else if (this.#sides[level] !== length) unexpected()
    this.#count(1)
  }
}
