import type { ProgressStream } from '../progress.ts'
import type { Hyperparameters } from './search-space.ts'
import { bestOf, ranked, type Objective, type TrialResult } from './trial.ts'
import type { LiveTrial } from './tuner.ts'

export interface TableView {
  readonly objective: Objective
  readonly epochs: number
  /** In all. */
  readonly trials: number
  readonly results: readonly TrialResult[]
  readonly running: readonly LiveTrial[]
}

/** Ended trials that the table shows; the best ones. */
const SHOWN = 8

const DEFAULT_COLUMNS = 80

/** The best trials so far and those under way, as lines no wider than `columns`. Pure. */
export function tableLines ({ objective, epochs, trials, results, running }: TableView, columns: number): string[] {
  const failed = results.filter(({ state }) => state === 'failed').length
  const head = `Trials ${results.length}/${trials}${failed === 0 ? '' : `, ${failed} failed`}   objective ${objective.figure} (${objective.direction})`
  const rows = [
    ...ranked(objective, results).slice(0, SHOWN).map(result => row(result.number, result.state, `${result.values.length}/${epochs}`, result.value, result.hyperparameters)),
    ...running.map(trial => row(trial.number, 'runs', `${trial.values.length}/${epochs}`, bestOf(objective, trial.values)?.value, trial.hyperparameters))
  ]
  return [head, ['trial', 'state  ', 'epochs', '  value', 'hyperparameters'].join('  '), ...rows].map(line => line.slice(0, Math.max(columns - 1, 0)))
}

function row (number: number, state: string, epochs: string, value: number | undefined, hyperparameters: Hyperparameters): string {
  return [String(number).padStart(5), state.padEnd(7), epochs.padStart(6), (value?.toFixed(4) ?? '–').padStart(7), formatHyperparameters(hyperparameters)].join('  ')
}

/** `filters=32 dropout=0.4`. Pure. */
export function formatHyperparameters (hyperparameters: Hyperparameters): string {
  return Object.entries(hyperparameters).map(([name, value]) => `${name}=${typeof value === 'number' ? Number(value.toPrecision(4)) : value}`).join(' ')
}

/** A line for a log. Pure. */
export function endedLine ({ number, state, value, seconds, hyperparameters, reason }: TrialResult, { figure }: Objective): string {
  const outcome = state === 'failed' ? `failed: ${reason}` : `${state}  ${figure} ${value?.toFixed(4) ?? '–'}`
  return `Trial ${number}  ${outcome}  ${seconds} s  ${formatHyperparameters(hyperparameters)}`
}

/** In a terminal a table that is drawn anew, in a log a line for each trial that ends. */
export class TrialTable {
  readonly #stream: ProgressStream
  #drawn = 0
  #ended: number

  /** @param ended trials of earlier runs, which a log does not name again */
  constructor (stream: ProgressStream, ended: number) {
    this.#stream = stream
    this.#ended = ended
  }

  show (view: TableView): void {
    if (this.#stream.isTTY === true) this.#draw(view)
    else for (const result of view.results.slice(this.#ended)) this.#stream.write(`${endedLine(result, view.objective)}\n`)
    this.#ended = view.results.length
  }

  #draw (view: TableView): void {
    const { columns = 0 } = this.#stream
    const lines = tableLines(view, columns === 0 ? DEFAULT_COLUMNS : columns)
    const back = this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A`
    this.#stream.write(`${back}\r\u001b[J${lines.join('\n')}\n`)
    this.#drawn = lines.length
  }
}
