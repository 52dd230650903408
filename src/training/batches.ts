import { DatasetError } from '../errors.ts'
import type { Batch, Dataset } from './datasets/dataset.ts'

/** What is worked through, and how. */
export interface BatchPlan {
  readonly data: Dataset
  /** Rows in the order they are wanted. */
  readonly order: Int32Array
  /** Rows a batch; the last one may be smaller. */
  readonly batchSize: number
}

/**
 * Works through rows batch by batch. The next batch is prepared as soon as `work` has given the present one away, that is while it runs.
 *
 * @param work resolves to false to end after this batch
 */
export async function eachBatch ({ data, order, batchSize }: BatchPlan, work: (batch: Batch, rows: number) => Promise<boolean>): Promise<void> {
  if (order.length === 0) return
  const prepare = async (start: number): Promise<Batch> => data.batch(order.subarray(start, start + batchSize))
  let next = prepare(0)
  for (let start = 0; start < order.length; start += batchSize) {
    const batch = await next
    const working = work(batch, Math.min(batchSize, order.length - start))
    if (start + batchSize < order.length) next = prepare(start + batchSize)
    next.catch(() => {}) // a failed `work` comes first; else the error is thrown when the batch is awaited
    if (!await working) return
  }
}

/** @param use ends the sentence: `learn from` */
export function refuseEmpty ({ rows }: Dataset, use: string): void {
  if (rows === 0) throw new DatasetError(`There are no rows to ${use}`)
}
