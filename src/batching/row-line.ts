import { removeItem } from './remove-item.ts'
import { stackParts, stackRows, takeRows } from './rows.ts'
import type { RunRequest, RunResult, Stacked, Tensors } from './run-request.ts'

/** A request that waits for its rows, or some of them, to be run. */
export interface WaitingRequest {
  readonly request: RunRequest
  /** Undefined: it runs alone, as it is. */
  readonly rows: number | undefined
  /** In the order in which requests came. */
  readonly place: number
  readonly receivedAt: number
  readonly queuedAt: number
  /** Rows that have gone into a run. */
  taken: number
  /** What has come back, in order of the rows. */
  readonly parts: Part[]
  /** When its first run began. */
  startedAt: number | undefined
  /** It failed, or nobody wants it any more. */
  isOver: boolean
  resolve (result: RunResult): void
  reject (error: unknown): void
}

interface Part { readonly first: number, readonly rows: number, readonly outputs: Tensors }

/** Rows of one request that go into one run. */
export interface Slice {
  readonly waiting: WaitingRequest
  readonly first: number
  readonly count: number
}

/** Requests whose rows may go into one run: of one signature, one type and shape, wanting the same outputs. First come, first served within a priority. */
export class RowLine {
  readonly sizes: readonly number[]
  readonly #normal: WaitingRequest[] = []
  readonly #low: WaitingRequest[] = []
  #rows = 0

  constructor (sizes: readonly number[]) {
    this.sizes = sizes
  }

  /** Rows that wait. */
  get rows (): number { return this.#rows }

  /** The one that goes next. */
  get first (): WaitingRequest | undefined { return this.#normal[0] ?? this.#low[0] }

  get requests (): number { return this.#normal.length + this.#low.length }

  /** All of them, in no order. */
  get all (): readonly WaitingRequest[] { return [...this.#normal, ...this.#low] }

  add (waiting: WaitingRequest): void {
    this.#lineOf(waiting).push(waiting)
    this.#rows += waiting.rows!
  }

  remove (waiting: WaitingRequest): boolean {
    if (!removeItem(this.#lineOf(waiting), waiting)) return false
    this.#rows -= waiting.rows! - waiting.taken
    return true
  }

  /** Takes so many rows out, of a request in part where it has more. */
  take (rows: number): Slice[] {
    const slices: Slice[] = []
    for (let left = rows; left > 0;) {
      const waiting = this.first!
      const count = Math.min(left, waiting.rows! - waiting.taken)
      slices.push({ waiting, first: waiting.taken, count })
      waiting.taken += count
      left -= count
      if (waiting.taken === waiting.rows) this.#lineOf(waiting).shift()
    }
    this.#rows -= rows
    return slices
  }

  #lineOf ({ request }: WaitingRequest): WaitingRequest[] {
    return request.priority === 'low' ? this.#low : this.#normal
  }
}

/** The batch's tensors: the slices' rows one below the other, filled up by the last one again. Numbers are not copied. */
export function stackSlices (slices: readonly Slice[], size: number): Stacked {
  const names = Object.keys(slices[0]!.waiting.request.inputs)
  return Object.fromEntries(names.map(name => [name, stackParts(slices.map(({ waiting, first, count }) => takeRows(waiting.request.inputs[name]!, first, count)), size)]))
}

/**
 * Gives a request its rows of a batch's outputs.
 *
 * @param at where its rows begin in the batch
 * @returns all outputs of the request, if this was the last of its rows
 */
export function giveRows ({ waiting, first, count }: Slice, outputs: Tensors, at: number): RunResult['outputs'] | undefined {
  const own = Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, takeRows(tensor, at, count)]))
  waiting.parts.push({ first, rows: count, outputs: own })
  if (waiting.parts.reduce((sum, { rows }) => sum + rows, 0) < waiting.rows!) return undefined
  const parts = waiting.parts.sort((a, b) => a.first - b.first)
  return Object.fromEntries(Object.keys(own).map(name => [name, stackRows(parts.map(part => part.outputs[name]!))]))
}
