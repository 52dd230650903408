import { shuffledRows } from '../random.ts'
import { rowsOfClasses } from './rows-of-classes.ts'

/** Row numbers in two parts, none in both. */
export interface HeldOutRows {
  readonly kept: Int32Array
  readonly heldOut: Int32Array
}

/** Sets rows aside that the seed decides. @param share of the rows, 0…1; at least one row is on each side where there are two */
export function holdOutRows (rows: number, share: number, seed: number): HeldOutRows {
  const order = shuffledRows(rows, seed)
  const count = heldOutCount(rows, share)
  return { heldOut: order.slice(0, count), kept: order.slice(count) }
}

/**
 * Sets the same share of every class aside, so that rare ones are on both sides. Pure.
 *
 * @param labels each row's class
 * @param share of each class's rows, 0…1; at least one row of a class is on each side where it has two, and one alone is kept
 * @returns row numbers in rising order
 */
export function holdOutOfClasses (labels: ArrayLike<number>, share: number, seed: number): HeldOutRows {
  const classes = rowsOfClasses(labels, seed)
  const rowsOf = (side: (rows: Int32Array, count: number) => Int32Array): Int32Array => Int32Array.from(classes.flatMap(rows => [...side(rows, heldOutCount(rows.length, share))])).sort()
  return { heldOut: rowsOf((rows, count) => rows.subarray(0, count)), kept: rowsOf((rows, count) => rows.subarray(count)) }
}

function heldOutCount (rows: number, share: number): number {
  return Math.min(Math.max(1, Math.round(rows * share)), rows - 1)
}
