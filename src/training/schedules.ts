/** A learning rate that depends on how often the weights have changed, from 0. Pure. An optimizer takes one in place of a number. */
export type Schedule = (step: number) => number

/** One rate after another. @param boundaries steps from which the next rate holds, rising; one fewer than `rates` */
export function piecewise (boundaries: readonly number[], rates: readonly number[]): Schedule {
  if (rates.length !== boundaries.length + 1) throw new RangeError(`Expected ${boundaries.length + 1} rates for ${boundaries.length} boundaries but received ${rates.length}`)
  return step => rates[boundaries.filter(boundary => step >= boundary).length]!
}

/** Multiplied with `factor` every so many steps, at once. */
export function stepDecay (rate: number, { factor, every }: { factor: number, every: number }): Schedule {
  return step => rate * factor ** Math.floor(step / every)
}

/** Multiplied with `factor` every so many steps, little by little. */
export function exponentialDecay (rate: number, { factor, every }: { factor: number, every: number }): Schedule {
  return step => rate * factor ** (step / every)
}

/** From `rate` to `end` over so many steps: in a straight line with power 1, the default. */
export function polynomialDecay (rate: number, { steps, end = 0, power = 1 }: { steps: number, end?: number, power?: number }): Schedule {
  return step => end + (rate - end) * (1 - progress(step, steps)) ** power
}

/** From `rate` to `end` over so many steps, in half a wave: slowly at first and at last. */
export function cosineDecay (rate: number, { steps, end = 0 }: { steps: number, end?: number }): Schedule {
  return step => wave(rate, end, progress(step, steps))
}

export interface RestartOptions {
  /** Of the first wave. */
  readonly steps: number
  /** How much longer each wave is than the one before; default 2. */
  readonly longer?: number
  /** How much lower each wave begins; default 1: as high. */
  readonly lower?: number
  readonly end?: number
}

/** One `cosineDecay` after another. @see https://arxiv.org/abs/1608.03983 */
export function cosineRestarts (rate: number, { steps, longer = 2, lower = 1, end = 0 }: RestartOptions): Schedule {
  return step => {
    let [start, length, top] = [0, steps, rate]
    while (step >= start + length) {
      start += length
      length *= longer
      top *= lower
    }
    return wave(top, end, (step - start) / length)
  }
}

/** Rises in a straight line to where the schedule, or the rate, begins; that is then followed from its own step 0. */
export function warmUp (then: number | Schedule, { steps, from = 0 }: { steps: number, from?: number }): Schedule {
  const next: Schedule = typeof then === 'number' ? () => then : then
  return step => step < steps ? from + (next(0) - from) * step / steps : next(step - steps)
}

export interface OneCycleOptions {
  /** Of the whole cycle. */
  readonly steps: number
  /** The part of them in which the rate rises; default 0.3. */
  readonly rising?: number
  /** It begins at `top` ÷ this; default 25. */
  readonly startDivisor?: number
  /** It ends at its beginning ÷ this; default 10 000. */
  readonly endDivisor?: number
}

/** Up to `top` and down again, each in half a wave, down to nearly nothing. @see https://arxiv.org/abs/1708.07120 */
export function oneCycle (top: number, { steps, rising = 0.3, startDivisor = 25, endDivisor = 10_000 }: OneCycleOptions): Schedule {
  const start = top / startDivisor
  const peak = steps * rising
  return step => step < peak ? wave(start, top, step / peak) : wave(top, start / endDivisor, progress(step - peak, steps - peak))
}

/** 0…1, and 1 from the last step on. */
function progress (step: number, steps: number): number {
  return Math.min(step / steps, 1)
}

/** From one value to the other along half a cosine. @param part 0…1 */
function wave (from: number, to: number, part: number): number {
  return to + (from - to) * (1 + Math.cos(Math.PI * part)) / 2
}
