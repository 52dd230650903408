/** What a model's loss does as the learning rate rises. */
export interface LearningRateCurve {
  /** One for each step, rising evenly on a logarithmic scale. */
  readonly rates: readonly number[]
  /** Smoothed losses of the batches before those steps. */
  readonly losses: readonly number[]
  /** Where the loss fell fastest; undefined if it never fell. */
  readonly suggested: number | undefined
}

export interface RateRange {
  /** The first rate, over 0; default 1e-7. */
  readonly from?: number
  /** The last rate, reached only if the loss bears it; default 10. */
  readonly to?: number
  /** From the first rate to the last; default 100. */
  readonly steps?: number
}

/** Share of the losses before in a smoothed loss. */
const SMOOTHING = 0.9
/** So many times the least loss, and the rate is too high for anything to be learned. */
const DIVERGED = 4
/** The mean of fewer losses says little. */
const SETTLING_STEPS = 10
/** Slopes are measured from so many steps before to as many after. */
const SLOPE_STEPS = 3

/**
 * Learns batch after batch while the rate rises, until the loss explodes.
 *
 * @param learn one step at a rate @returns the batch's loss before it
 * @see https://arxiv.org/abs/1506.01186, section 3.3
 */
export async function traceLearningRates (learn: (rate: number) => Promise<number>, { from = 1e-7, to = 10, steps = 100 }: RateRange = {}): Promise<LearningRateCurve> {
  if (!(from > 0 && to > from && Number.isSafeInteger(steps) && steps > 1)) throw new RangeError(`Expected rates that rise from over 0, in 2 steps or more, but received ${from} to ${to} in ${steps}`)
  const rates: number[] = []
  const losses: number[] = []
  let mean = 0
  for (let step = 0; step < steps; step++) {
    const rate = from * (to / from) ** (step / (steps - 1))
    const loss = await learn(rate)
    mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
    const smoothed = mean / (1 - SMOOTHING ** (step + 1))
    if (!Number.isFinite(smoothed) || smoothed > DIVERGED * Math.min(...losses)) break
    rates.push(rate)
    losses.push(smoothed)
  }
  return { rates, losses, suggested: steepest(rates, losses) }
}

/** The rate at which the loss falls fastest, before it is least: one step further to the left or right changes little, and all is still stable. Pure. */
export function steepest (rates: readonly number[], losses: readonly number[]): number | undefined {
  const least = losses.indexOf(Math.min(...losses))
  let best: { slope: number, rate: number } | undefined
  for (let step = SETTLING_STEPS + SLOPE_STEPS; step + SLOPE_STEPS <= least; step++) {
    const slope = losses[step + SLOPE_STEPS]! - losses[step - SLOPE_STEPS]!
    if (slope < (best?.slope ?? 0)) best = { slope, rate: rates[step]! }
  }
  return best?.rate
}

const LINES = 25
const COLUMNS = 40

/** The curve for a terminal: a line for every few rates, with the loss as a bar. Pure. */
export function describeRates ({ rates, losses, suggested }: LearningRateCurve): string[] {
  const every = Math.ceil(rates.length / LINES)
  const highest = Math.max(...losses)
  const lines = rates.flatMap((rate, index) => index % every === 0 ? [`${rate.toExponential(1).padStart(8)}  ${losses[index]!.toFixed(4).padStart(9)}  ${'━'.repeat(Math.round(losses[index]! / highest * COLUMNS))}`] : [])
  return [
    'Learning rate, and the loss when it is reached:',
    ...lines,
    suggested === undefined ? 'The loss falls at none of them.' : `The loss falls fastest at ${suggested.toExponential(1)}: --learning-rate ${Number(suggested.toPrecision(2))}`
  ]
}
