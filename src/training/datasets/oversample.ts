import type { Dataset } from './dataset.ts'
import { datasetRows } from './dataset-rows.ts'
import { rowsOfClasses } from './rows-of-classes.ts'

/**
 * All rows, those of rarer classes repeated until every class has as many as the most frequent one. No row of a class is there more than
 * once more often than another of it; the seed decides which are. Pure.
 *
 * @param labels each row's class
 * @returns row numbers, each at least once, in rising order
 */
export function oversampledRows (labels: ArrayLike<number>, seed: number): Int32Array {
  const classes = rowsOfClasses(labels, seed)
  const most = Math.max(0, ...classes.map(({ length }) => length))
  return Int32Array.from(classes.flatMap(rows => Array.from({ length: most }, (_, index) => rows[index % rows.length]!))).sort()
}

/**
 * A dataset whose epochs have as many rows of each class. Give it rows to learn from only, taken apart from those held out before: a
 * repeated row must not be on both sides.
 */
export function oversample (data: Dataset, labels: ArrayLike<number>, seed: number): Dataset {
  if (labels.length !== data.rows) throw new RangeError(`Expected a label for each of ${data.rows} rows but received ${labels.length}`)
  return datasetRows(data, oversampledRows(labels, seed))
}
