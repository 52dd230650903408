import { derivedSeed, shuffledRows } from '../random.ts'

/** @param present of each row a 1 for every feature that is there, [rows][features] @returns a score for each row */
export type ScoreRows = (present: readonly Uint8Array[]) => Promise<ArrayLike<number>>

type ScoreAll = (present: readonly Uint8Array[]) => Promise<readonly number[]>

export interface ShapleyOptions {
  readonly features: number
  /** Orders that are tried, each forwards and backwards; with more the values are surer. */
  readonly orders: number
  readonly seed: number
  /** Rows of a call of `score`; default 64. */
  readonly batchRows?: number
  /** Told after each order. */
  readonly onOrder?: (done: number, all: number) => void
}

export interface ShapleyValues {
  /** What each feature adds to the score on average over all orders in which features may come; their sum is `score - baseline`. */
  readonly values: Float64Array
  /** Standard errors of the values; NaN for one order. */
  readonly errors: Float64Array
  /** With all features. */
  readonly score: number
  /** With none. */
  readonly baseline: number
}

/**
 * Shapley values by sampling: in a random order features are added one after another, and each gets what the score grows by. Every order is also
 * gone through backwards, which evens out much of what chance does.
 *
 * @see https://doi.org/10.1007/s10115-013-0679-x Štrumbelj and Kononenko, "Explaining prediction models and individual predictions with feature contributions"
 * @see https://arxiv.org/abs/2104.12199 Mitchell et al., "Sampling Permutations for Shapley Value Estimation": antithetic sampling
 */
export async function shapleyValues (score: ScoreRows, { features, orders, seed, batchRows = 64, onOrder = () => {} }: ShapleyOptions): Promise<ShapleyValues> {
  const scoreAll = inBatches(score, batchRows)
  const [baseline = 0, whole = 0] = await scoreAll([new Uint8Array(features), new Uint8Array(features).fill(1)])
  const sums = new Float64Array(features)
  const squares = new Float64Array(features)
  for (let done = 0; done < orders; done++) {
    const order = shuffledRows(features, derivedSeed(seed, done))
    const forwards = await gains(scoreAll, order, baseline, whole)
    const backwards = await gains(scoreAll, order.toReversed(), baseline, whole)
    for (let feature = 0; feature < features; feature++) {
      const gain = (forwards[feature]! + backwards[feature]!) / 2
      sums[feature]! += gain
      squares[feature]! += gain * gain
    }
    onOrder(done + 1, orders)
  }
  return {
    values: sums.map(sum => sum / orders),
    errors: sums.map((sum, feature) => Math.sqrt(Math.max(0, squares[feature]! / orders - (sum / orders) ** 2) / (orders - 1))),
    score: whole,
    baseline
  }
}

/** What the score grows by when each feature comes, in this order. Both ends are known. */
async function gains (scoreAll: ScoreAll, order: Int32Array, baseline: number, whole: number): Promise<Float64Array> {
  const present = new Uint8Array(order.length)
  const rows = Array.from(order.subarray(0, -1), feature => {
    present[feature] = 1
    return present.slice()
  })
  const between = await scoreAll(rows)
  const grown = new Float64Array(order.length)
  order.forEach((feature, index) => {
    grown[feature] = (index === order.length - 1 ? whole : between[index]!) - (index === 0 ? baseline : between[index - 1]!)
  })
  return grown
}

function inBatches (score: ScoreRows, batchRows: number): ScoreAll {
  return async rows => {
    const scores: number[] = []
    for (let first = 0; first < rows.length; first += batchRows) scores.push(...Array.from(await score(rows.slice(first, first + batchRows))))
    return scores
  }
}
