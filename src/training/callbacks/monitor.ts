import { BadOptionError } from '../../errors.ts'
import type { Logs } from '../history.ts'

/** Which figure a callback watches. */
export interface MonitorOptions {
  /** A name of the history; default `val_loss`. */
  readonly monitor?: string
  /** Whether it is to fall or to rise; default: losses and errors fall, everything else rises. */
  readonly mode?: 'min' | 'max'
  /** Less change than this is none; default 0. */
  readonly minDelta?: number
}

/** Watches one figure for its best value so far. */
export class Monitor {
  readonly name: string
  readonly #sign: 1 | -1
  readonly #minDelta: number
  /** undefined until there was a number. */
  best: number | undefined

  constructor ({ monitor = 'val_loss', mode = modeOf(monitor), minDelta = 0 }: MonitorOptions) {
    this.name = monitor
    this.#sign = mode === 'min' ? -1 : 1
    this.#minDelta = Math.abs(minDelta)
  }

  /**
   * Looks at an epoch's figures, and keeps the figure if it is the best so far. NaN never is.
   *
   * @throws BadOptionError if the figure is not measured
   */
  improves (logs: Logs): boolean {
    const value = logs[this.name]
    if (value === undefined) throw new BadOptionError(`"${this.name}" is not measured in this run; there are: ${Object.keys(logs).join(', ')}`)
    const isBetter = this.best === undefined ? !Number.isNaN(value) : (value - this.best) * this.#sign > this.#minDelta
    if (isBetter) this.best = value
    return isBetter
  }
}

function modeOf (name: string): 'min' | 'max' {
  return /loss|error|entropy|divergence/i.test(name) ? 'min' : 'max'
}
