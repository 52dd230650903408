import { shuffledRows } from '../random.ts'

/** Row numbers in two parts, none in both. */
export interface HeldOutRows {
  readonly kept: Int32Array
  readonly heldOut: Int32Array
}

/** Sets rows aside that the seed decides. @param share of the rows, 0…1; at least one row is on each side where there are two */
export function holdOutRows (rows: number, share: number, seed: number): HeldOutRows {
  const order = shuffledRows(rows, seed)
  const count = Math.min(Math.max(1, Math.round(rows * share)), rows - 1)
  return { heldOut: order.slice(0, count), kept: order.slice(count) }
}
