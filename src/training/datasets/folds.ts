import { shuffledRows } from '../random.ts'
import type { Dataset } from './dataset.ts'
import { datasetRows } from './dataset-rows.ts'
import type { HeldOutRows } from './hold-out.ts'
import { rowsOfClasses } from './rows-of-classes.ts'

/** Every row is held out in one fold and kept in all others; folds differ by one row at most. Pure. @param folds 2 … rows @throws RangeError for another number of folds */
export function foldRows (rows: number, folds: number, seed: number): HeldOutRows[] {
  return deal(shuffledRows(rows, seed), folds)
}

/**
 * Like `foldRows`, and folds differ by one row at most in each class too. Pure.
 *
 * @param labels each row's class
 * @throws RangeError for fewer than two folds, or more than there are rows
 */
export function stratifiedFoldRows (labels: ArrayLike<number>, folds: number, seed: number): HeldOutRows[] {
  return deal(Int32Array.from(rowsOfClasses(labels, seed).flatMap(rows => [...rows])), folds)
}

/** A dataset's two parts in one fold, or of any other choice of rows. */
export function splitDataset (data: Dataset, { kept, heldOut }: HeldOutRows): { readonly data: Dataset, readonly validation: Dataset } {
  return { data: datasetRows(data, kept), validation: datasetRows(data, heldOut) }
}

/** As cards are dealt: one row after another to one fold after another. */
function deal (order: Int32Array, folds: number): HeldOutRows[] {
  if (!Number.isInteger(folds) || folds < 2 || folds > order.length) throw new RangeError(`Expected 2 to ${order.length} folds for ${order.length} rows but received ${folds}`)
  return Array.from({ length: folds }, (_, fold) => ({
    kept: order.filter((_, place) => place % folds !== fold).sort(),
    heldOut: order.filter((_, place) => place % folds === fold).sort()
  }))
}
