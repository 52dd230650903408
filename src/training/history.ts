/** Figures by name: `loss`, `acc`, `val_loss`, `val_acc`. */
export type Logs = Readonly<Record<string, number>>

/** What `fit` gives, as `tf.layers` has it: a list of figures for each name, one for each epoch that was finished. */
export interface History {
  /** Numbers of the epochs, from 0. */
  readonly epoch: number[]
  readonly history: Record<string, number[]>
  /** True if the signal stopped the run before its last epoch was done. */
  stopped: boolean
}

export function addEpoch (history: History, epoch: number, logs: Logs): void {
  history.epoch.push(epoch)
  for (const [name, value] of Object.entries(logs)) (history.history[name] ??= []).push(value)
}

/** What the numbers are that the graph gives for a batch. */
export interface FigureLayout {
  /** Means over the batch's rows, first in the list. */
  readonly losses: readonly string[]
  /** Then each metric's counts. */
  readonly metrics: readonly { readonly name: string, readonly size: number, readonly finish: (counts: Float64Array) => number }[]
}

/** Adds up what batches give: losses by their rows, counts as they are. Sums are float64, so nothing is lost over a million rows. */
export class FigureSums {
  readonly #layout: FigureLayout
  readonly #sums: Float64Array
  #rows = 0

  constructor (layout: FigureLayout) {
    this.#layout = layout
    this.#sums = new Float64Array(layout.losses.length + layout.metrics.reduce((sum, { size }) => sum + size, 0))
  }

  /** @param figures of a batch, as the layout says */
  add (figures: ArrayLike<number>, rows: number): void {
    const sums = this.#sums
    const losses = this.#layout.losses.length
    for (let index = 0; index < losses; index++) sums[index]! += figures[index]! * rows
    for (let index = losses; index < sums.length; index++) sums[index]! += figures[index]!
    this.#rows += rows
  }

  /** For a run that is interrupted: `restore` goes on from it to the bit. */
  state (): number[] {
    return [this.#rows, ...this.#sums]
  }

  restore ([rows = 0, ...sums]: readonly number[]): void {
    this.#rows = rows
    this.#sums.set(sums)
  }

  logs (prefix = ''): Record<string, number> {
    const { losses, metrics } = this.#layout
    const logs: Record<string, number> = {}
    losses.forEach((name, index) => { logs[`${prefix}${name}`] = this.#sums[index]! / this.#rows })
    let start = losses.length
    for (const { name, size, finish } of metrics) {
      logs[`${prefix}${name}`] = finish(this.#sums.subarray(start, start + size))
      start += size
    }
    return logs
  }
}
