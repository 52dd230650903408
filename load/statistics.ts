/** Repeats of one measurement. Machines are noisy to one side: the median is quoted, the extremes show how far to trust it. */
export interface Spread {
  median: number
  min: number
  max: number
}

/** @throws RangeError for no values at all */
export function spreadOf (values: readonly number[]): Spread {
  const sorted = ascending(values)
  return { median: median(sorted), min: sorted[0]!, max: sorted.at(-1)! }
}

/** The middle value, or the mean of the two in the middle. @throws RangeError for no values at all */
export function median (values: readonly number[]): number {
  const sorted = ascending(values)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/**
 * The smallest value that at least `share` of all values do not exceed (nearest rank, nothing interpolated).
 *
 * @param share 0–1, as 0.99
 * @throws RangeError for no values at all
 */
export function percentile (values: readonly number[], share: number): number {
  const sorted = ascending(values)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
}

function ascending (values: readonly number[]): number[] {
  if (values.length === 0) throw new RangeError('Expected at least one value but received none')
  return [...values].sort((left, right) => left - right)
}
