import type { Dataset } from './dataset.ts'

/** A dataset's rows that are asked for, in this order, repeated ones too. Nothing is copied. @param rows numbers in `data` */
export function datasetRows (data: Dataset, rows: Int32Array): Dataset {
  return { rows: rows.length, batch: async chosen => await data.batch(chosen.map(row => rows[row]!)) }
}
