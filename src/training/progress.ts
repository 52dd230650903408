import type { Logs } from './history.ts'
import type { StepReport, TrainingCallback } from './callbacks/callback.ts'

/** Where progress is written: a terminal, a pipe or a file. */
export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write (text: string): unknown
}

/** Work of known size, as it goes on. */
export interface Progress {
  readonly title: string
  readonly done: number
  readonly total: number
  readonly elapsedMs: number
  readonly logs?: Logs
}

const REDRAW_MS = 100
const BAR_COLUMNS = 24
const LEAST_BAR_COLUMNS = 4
const GAP = '  '
const DEFAULT_COLUMNS = 80
const CLEAR_LINE = '\r\u001b[K'

/** Names of figures as people know them. */
const LABELS: Readonly<Record<string, string>> = { acc: 'accuracy', val_loss: 'val loss', val_acc: 'val accuracy' }

/** One line of a terminal: a bar, as wide as there is room for, figures, and the time that is left if it goes on like this. Pure. */
export function progressLine ({ title, done, total, elapsedMs, logs = {} }: Progress, columns: number): string {
  const share = total === 0 ? 1 : done / total
  const left = done === 0 ? '' : `${formatDuration(elapsedMs / share - elapsedMs)} left`
  const figures = joined([`${done}/${total}`, formatLogs(logs), left])
  const room = columns - 1 - joined([title, '', figures]).length - GAP.length
  return joined([title, bar(share, Math.min(room, BAR_COLUMNS)), figures]).slice(0, Math.max(columns - 1, 0))
}

function bar (share: number, columns: number): string {
  if (columns < LEAST_BAR_COLUMNS) return ''
  const filled = Math.round(share * columns)
  return `${'━'.repeat(filled)}${'╌'.repeat(columns - filled)}`
}

function joined (parts: readonly string[]): string {
  return parts.filter(part => part !== '').join(GAP)
}

/** What stays when the work is done; in a log, all there is. Pure. */
export function finishedLine ({ title, total, elapsedMs, logs = {} }: Omit<Progress, 'done'>): string {
  return joined([title, `${total} in ${formatDuration(elapsedMs)}`, formatLogs(logs)])
}

/** `loss 0.4311  accuracy 0.8425`. Pure. */
export function formatLogs (logs: Logs): string {
  return Object.entries(logs).map(([name, value]) => `${LABELS[name] ?? name} ${value.toFixed(4)}`).join('  ')
}

/** `8 s`, `3 min 20 s`, `1 h 5 min`. Pure. */
export function formatDuration (ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Shows work in a terminal as a bar that moves, in a log as one line when it is done. */
export class ProgressReporter {
  readonly #stream: ProgressStream
  readonly #now: () => number
  #startedAt = 0
  #drawnAt = -Infinity

  constructor (stream: ProgressStream, now: () => number = () => performance.now()) {
    this.#stream = stream
    this.#now = now
  }

  start (): void {
    this.#startedAt = this.#now()
    this.#drawnAt = -Infinity
  }

  /** Draws ten times a second at most. */
  show (title: string, done: number, total: number, logs: Logs = {}): void {
    const now = this.#now()
    if (this.#stream.isTTY !== true || now - this.#drawnAt < REDRAW_MS) return
    this.#drawnAt = now
    const line = progressLine({ title, done, total, elapsedMs: now - this.#startedAt, logs }, this.#columns())
    this.#stream.write(`${CLEAR_LINE}${line}`)
  }

  finish (title: string, total: number, logs: Logs = {}): void {
    this.line(finishedLine({ title, total, elapsedMs: this.#now() - this.#startedAt, logs }))
  }

  /** A line that stays. */
  line (text: string): void {
    this.#stream.write(`${this.#stream.isTTY === true ? CLEAR_LINE : ''}${text}\n`)
  }

  /** Some terminals say 0 and mean that they do not know. */
  #columns (): number {
    const { columns = 0 } = this.#stream
    return columns === 0 ? DEFAULT_COLUMNS : columns
  }

  /** For `fit`: a bar for each epoch. */
  callback (): TrainingCallback {
    let rowsOfEpoch = 0
    let epochsInAll = 0
    this.start()
    return {
      onlyWatches: true,
      onStep: ({ epoch, epochs, rowsDone, rows, logs }: StepReport) => {
        rowsOfEpoch = rows
        epochsInAll = epochs
        this.show(epochTitle(epoch, epochs), rowsDone, rows, logs)
      },
      onEpochEnd: (epoch, logs) => {
        this.finish(epochTitle(epoch, epochsInAll), rowsOfEpoch, logs)
        this.start()
      }
    }
  }
}

function epochTitle (epoch: number, epochs: number): string {
  return `Epoch ${epoch + 1}/${epochs}`
}
