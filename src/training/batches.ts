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

/** What is done with each batch. */
export interface BatchWork<Result> {
  /** Takes what it needs of the batch before it returns. */
  readonly begin: (batch: Batch) => Promise<Result>
  /** Told of each in their order. @returns false to begin no more; those under way are still finished */
  readonly finish: (result: Result, rows: number) => boolean | Promise<boolean>
  /** Under way at once; default 1. */
  readonly atOnce?: number
}

/** Works through rows batch by batch. The next batch is prepared as soon as the present one was begun, that is while it runs. Whatever fails, nothing is under way afterwards. */
export async function eachBatch<Result> ({ data, order, batchSize }: BatchPlan, { begin, finish, atOnce = 1 }: BatchWork<Result>): Promise<void> {
  if (order.length === 0) return
  const prepare = (start: number): Promise<Batch> => quiet(Promise.resolve().then(() => data.batch(order.subarray(start, start + batchSize))))
  const running: { result: Promise<Result>, rows: number }[] = []
  const finishFirst = async (): Promise<boolean> => {
    const { result, rows } = running.shift()!
    return await finish(await result, rows)
  }
  try {
    let next = prepare(0)
    for (let start = 0; start < order.length; start += batchSize) {
      const batch = await next
      running.push({ result: quiet(begin(batch)), rows: Math.min(batchSize, order.length - start) })
      if (start + batchSize < order.length) next = prepare(start + batchSize)
      if (running.length === atOnce && !await finishFirst()) break
    }
    while (running.length > 0) await finishFirst()
  } finally {
    await Promise.allSettled(running.map(({ result }) => result))
  }
}

/** One whose failure may come before it is waited for. */
function quiet<Result> (promise: Promise<Result>): Promise<Result> {
  promise.catch(() => {})
  return promise
}

/** @param use ends the sentence: `learn from` */
export function refuseEmpty ({ rows }: Dataset, use: string): void {
  if (rows === 0) throw new DatasetError(`There are no rows to ${use}`)
}
