import { abortError, DeadlineExceededError, QueueFullError } from '../errors.ts'
import { decide, type Decision } from './batch-policy.ts'
import type { Door, FairGate } from './fair-gate.ts'
import { removeItem } from './remove-item.ts'
import { giveRows, RowLine, stackSlices, type Slice, type WaitingRequest } from './row-line.ts'
import { rowsOf, rowType } from './rows.ts'
import type { RunReport, RunRequest, RunResult, SignatureBatching, Stacked, Tensors } from './run-request.ts'

/** How one version is run. */
export interface RunQueueOptions {
  /** For errors. */
  readonly model: string
  /** Runs of this version in flight. */
  readonly concurrency: number
  /** Requests that may wait. */
  readonly maxWaiting: number
  /** Longest time, in milliseconds, that a row waits for rows that are known to come. */
  readonly maxDelayMs: number
  /** How each signature's rows are run; one that is not listed runs alone. */
  readonly batching: Readonly<Record<string, SignatureBatching>>
  /** Requests that are here and whose rows are still to come. */
  readonly expected: () => number
  readonly run: (signature: string, inputs: Stacked, outputs: readonly string[] | undefined) => Promise<Tensors>
  /** Whether an error may be one row's fault, so that the others of its batch are run again without it. */
  readonly isRowsFault: (error: unknown) => boolean
  readonly onRun?: (report: RunReport) => void
  /** Shared with other versions. */
  readonly gate: FairGate
  readonly now?: () => number
  readonly timers?: Pick<typeof globalThis, 'setTimeout' | 'clearTimeout'>
}

/** What could begin now: a request that runs alone, or rows of a line. */
type Start =
  | { readonly kind: 'alone', readonly waiting: WaitingRequest }
  | { readonly kind: 'batch', readonly line: RowLine, readonly decision: Extract<Decision, { kind: 'run' }> }

/** How long runs took lately, so that one whose answer would come too late is not begun. */
const SMOOTHING = 0.2
/** Lines that may be kept with nobody in them: the next to come is of the same kind mostly. */
const MOST_EMPTY_LINES = 16

/**
 * A version's queue: rows of any request that may run together do, in batches of the sizes that TensorFlow has seen; what can't runs alone.
 * A run begins as soon as a place is free; who has gone or whose deadline can't be met leaves the queue.
 */
export class RunQueue {
  readonly #options: RunQueueOptions
  readonly #now: () => number
  readonly #timers: Pick<typeof globalThis, 'setTimeout' | 'clearTimeout'>
  readonly #lines = new Map<string, RowLine>()
  readonly #alone: WaitingRequest[] = []
  readonly #runMs = new Map<string, number>()
  /** At least what a run of any kind takes. */
  #longestRunMs = 0
  /** No deadline of those that wait is earlier. */
  #earliestDeadline = Infinity
  readonly #door: Door
  #timer: NodeJS.Timeout | undefined
  #runs = 0
  #exclusiveRuns = 0
  #places = 0

  constructor (options: RunQueueOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#timers = options.timers ?? globalThis
    this.#door = options.gate.add({ canStart: () => this.#next() !== undefined, start: async () => { await this.#start(this.#next()!) } })
  }

  get inFlight (): number { return this.#runs }

  /** Requests of which nothing runs yet. */
  get waiting (): number {
    let waiting = this.#alone.length
    for (const line of this.#lines.values()) waiting += line.requests
    return waiting
  }

  /**
   * Runs a request, with others where its rows allow it.
   *
   * @throws QueueFullError at once, if it can not begin and too many wait already
   * @throws DeadlineExceededError if it can not be done in time
   * @throws ClientClosedError, or the signal's own reason, if aborted
   * @throws what TensorFlow says of it
   */
  async run (request: RunRequest): Promise<RunResult> {
    const { signal } = request
    if (signal?.aborted) throw abortError(signal)
    if (this.#runs >= this.#options.concurrency && this.waiting >= this.#options.maxWaiting) throw new QueueFullError(this.#options.model, this.waiting)
    return await new Promise((resolve, reject) => {
      const abort = (): void => { this.#fail(waiting, abortError(signal!)) }
      const settle = <Value>(how: (value: Value) => void) => (value: Value): void => {
        signal?.removeEventListener('abort', abort)
        how(value)
      }
      const waiting = this.#waitingRequest(request, { resolve: settle(resolve), reject: settle(reject) })
      signal?.addEventListener('abort', abort, { once: true })
      this.#add(waiting)
    })
  }

  /** Rows that were expected have come, or never will. */
  knock (): void {
    this.#door.knock()
    this.#setTimer()
  }

  /** For good: nothing more is run. */
  close (): void {
    this.#timers.clearTimeout(this.#timer)
    this.#door.leave()
  }

  #waitingRequest (request: RunRequest, settle: Pick<WaitingRequest, 'resolve' | 'reject'>): WaitingRequest {
    const queuedAt = this.#now()
    const isBatched = this.#options.batching[request.signature]?.kind === 'batched'
    const rows = isBatched ? rowsOf(request.inputs) : undefined
    return { request, rows, place: this.#places++, receivedAt: request.receivedAt ?? queuedAt, queuedAt, taken: 0, parts: [], startedAt: undefined, isOver: false, ...settle }
  }

  #add (waiting: WaitingRequest): void {
    if (waiting.rows === undefined) this.#alone.push(waiting)
    else this.#lineFor(waiting.request).add(waiting)
    this.#earliestDeadline = Math.min(this.#earliestDeadline, waiting.request.deadline ?? Infinity)
    this.knock()
  }

  #lineFor ({ signature, inputs, outputs }: RunRequest): RowLine {
    const key = `${signature} ${outputs?.join() ?? '*'} ${rowType(inputs)}`
    const known = this.#lines.get(key)
    if (known !== undefined) return known
    const line = new RowLine((this.#options.batching[signature] as Extract<SignatureBatching, { kind: 'batched' }>).sizes)
    this.#lines.set(key, line)
    return line
  }

  #next (): Start | undefined {
    this.#refuseLate()
    if (this.#runs >= this.#options.concurrency) return undefined
    let best: Start | undefined
    let bestFirst: WaitingRequest | undefined
    for (const waiting of this.#alone) {
      if (waiting.request.exclusive === true && this.#exclusiveRuns > 0) continue
      if (bestFirst === undefined || isBefore(waiting, bestFirst)) [best, bestFirst] = [{ kind: 'alone', waiting }, waiting]
    }
    for (const line of this.#lines.values()) {
      const decision = this.#decide(line)
      if (decision.kind !== 'run') continue
      if (bestFirst === undefined || isBefore(line.first!, bestFirst)) [best, bestFirst] = [{ kind: 'batch', line, decision }, line.first!]
    }
    return best
  }

  #decide (line: RowLine): Decision {
    const { first } = line
    const { expected, maxDelayMs } = this.#options
    return decide({ rows: line.rows, oldestReceivedAt: first?.receivedAt ?? 0, oldestQueuedAt: first?.queuedAt ?? 0, expected: expected(), now: this.#now() }, { sizes: line.sizes, maxDelayMs })
  }

  /** A line that waits for company is looked at again when it has waited long enough. */
  #setTimer (): void {
    this.#timers.clearTimeout(this.#timer)
    if (this.#runs >= this.#options.concurrency) return
    const waits = [...this.#lines.values()].map(line => this.#decide(line)).flatMap(decision => decision.kind === 'wait' ? [decision.ms] : [])
    if (waits.length > 0) this.#timer = this.#timers.setTimeout(() => { this.knock() }, Math.min(...waits))
  }

  async #start (start: Start): Promise<void> {
    this.#runs++
    try {
      if (start.kind === 'alone') await this.#runAlone(start.waiting)
      else await this.#runBatch(start.line, start.decision)
    } finally {
      this.#runs--
      if (this.#lines.size > MOST_EMPTY_LINES) this.#forgetEmptyLines()
      this.#setTimer()
    }
  }

  #forgetEmptyLines (): void {
    for (const [key, line] of this.#lines) if (line.requests === 0) this.#lines.delete(key)
  }

  async #runAlone (waiting: WaitingRequest): Promise<void> {
    const { request } = waiting
    removeItem(this.#alone, waiting)
    if (request.exclusive === true) this.#exclusiveRuns++
    const startedAt = waiting.startedAt = this.#now()
    const ended = await this.#timed(request, request.inputs)
    if (request.exclusive === true) this.#exclusiveRuns--
    this.#learn(request.signature, undefined, ended.runMs)
    this.#report({ signature: request.signature, rows: undefined, size: undefined, released: undefined, requests: 1, runMs: ended.runMs, waitedMs: startedAt - waiting.queuedAt, hasFailed: 'error' in ended })
    if ('error' in ended) this.#fail(waiting, ended.error)
    else this.#finish(waiting, { ...ended.outputs })
  }

  async #runBatch (line: RowLine, { rows, size, released }: Extract<Decision, { kind: 'run' }>): Promise<void> {
    const { queuedAt, request } = line.first!
    const slices = line.take(rows)
    const startedAt = this.#now()
    for (const { waiting } of slices) waiting.startedAt ??= startedAt
    const ended = await this.#runSlices(slices, size)
    this.#report({ signature: request.signature, rows, size, released, requests: slices.length, runMs: ended.runMs, waitedMs: startedAt - queuedAt, hasFailed: 'error' in ended })
    if ('error' in ended) await this.#runApart(slices, ended.error, line.sizes)
  }

  /** @returns what went wrong, if something did; else every slice has its rows */
  async #runSlices (slices: readonly Slice[], size: number): Promise<Ended> {
    const ended = await this.#timed(slices[0]!.waiting.request, stackSlices(slices, size))
    if ('error' in ended) return ended
    const shapeless = Object.entries(ended.outputs).find(([, { shape }]) => shape[0] !== size)
    if (shapeless !== undefined) return { error: new Error(`its output "${shapeless[0]}" has shape [${shapeless[1].shape.join(', ')}] for ${size} rows`), runMs: ended.runMs }
    this.#learn(slices[0]!.waiting.request.signature, size, ended.runMs)
    let at = 0
    for (const slice of slices) {
      const outputs = giveRows(slice, ended.outputs, at)
      at += slice.count
      if (outputs !== undefined) this.#finish(slice.waiting, outputs)
    }
    return ended
  }

  /** One row that TensorFlow refuses must not take the others with it. */
  async #runApart (slices: readonly Slice[], error: unknown, sizes: readonly number[]): Promise<void> {
    if (slices.length === 1 || !this.#options.isRowsFault(error)) {
      for (const { waiting } of slices) this.#fail(waiting, error)
      return
    }
    for (const slice of slices) {
      if (slice.waiting.isOver) continue
      const size = sizes.find(size => size >= slice.count) ?? slice.count
      const ended = await this.#runSlices([slice], size)
      if ('error' in ended) this.#fail(slice.waiting, ended.error)
    }
  }

  async #timed ({ signature, outputs }: RunRequest, inputs: Stacked): Promise<Ended> {
    const startedAt = this.#now()
    try {
      const given = await this.#options.run(signature, inputs, outputs)
      return { outputs: given, runMs: this.#now() - startedAt }
    } catch (error) {
      return { error, runMs: this.#now() - startedAt }
    }
  }

  #report (report: RunReport): void {
    this.#options.onRun?.(report)
  }

  #learn (signature: string, size: number | undefined, runMs: number): void {
    const key = `${signature} ${size}`
    const known = this.#runMs.get(key)
    const smoothed = known === undefined ? runMs : known + SMOOTHING * (runMs - known)
    this.#runMs.set(key, smoothed)
    this.#longestRunMs = Math.max(...this.#runMs.values())
  }

  /** Those that could not be done in time even if they began now. All are looked at only when one may be late. */
  #refuseLate (): void {
    const now = this.#now()
    if (now + this.#longestRunMs <= this.#earliestDeadline) return
    this.#earliestDeadline = Infinity
    for (const waiting of [...this.#alone, ...[...this.#lines.values()].flatMap(line => line.all)]) {
      const { deadline = Infinity, signature } = waiting.request
      const runMs = this.#runMs.get(`${signature} ${this.#sizeFor(waiting)}`) ?? 0
      if (waiting.startedAt === undefined && now + runMs > deadline) this.#fail(waiting, new DeadlineExceededError(Math.round(deadline - waiting.receivedAt)))
      else this.#earliestDeadline = Math.min(this.#earliestDeadline, deadline)
    }
  }

  #sizeFor ({ request, rows }: WaitingRequest): number | undefined {
    const batching = this.#options.batching[request.signature]
    if (rows === undefined || batching?.kind !== 'batched') return undefined
    return batching.sizes.find(size => size >= rows) ?? batching.sizes.at(-1)
  }

  #finish (waiting: WaitingRequest, outputs: RunResult['outputs']): void {
    if (!this.#end(waiting)) return
    const now = this.#now()
    const { queuedAt, startedAt = now } = waiting
    waiting.resolve({ outputs, queueMs: startedAt - queuedAt, inferMs: now - startedAt })
  }

  /** Rows of it that still wait leave the queue; those that run come back to nobody. */
  #fail (waiting: WaitingRequest, error: unknown): void {
    if (!this.#end(waiting)) return
    removeItem(this.#alone, waiting)
    for (const line of this.#lines.values()) line.remove(waiting)
    waiting.reject(error)
  }

  /** @returns false if it was over already */
  #end (waiting: WaitingRequest): boolean {
    if (waiting.isOver) return false
    waiting.isOver = true
    return true
  }
}

type Ended = { readonly outputs: Tensors, readonly runMs: number } | { readonly error: unknown, readonly runMs: number }

function isBefore (a: WaitingRequest, b: WaitingRequest): boolean {
  const [isLow, isOtherLow] = [a.request.priority === 'low', b.request.priority === 'low']
  return isLow === isOtherLow ? a.place < b.place : isOtherLow
}
