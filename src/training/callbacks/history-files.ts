import { formatJson } from '../format-json.ts'
import { replaceFile } from '../replace-file.ts'
import type { History } from '../history.ts'
import type { TrainingCallback, TrainingControl } from './callback.ts'

/** Keeps a CSV file of the history: a line for each epoch, numbered from 0, a column for each figure. */
export function csvHistory (path: string): TrainingCallback {
  return historyFile('csvHistory', path, formatCsv)
}

/** Keeps a JSON file of the history as `fit` gives it; figures that are no numbers as `"NaN"`, `"Infinity"`, `"-Infinity"`. */
export function jsonHistory (path: string): TrainingCallback {
  return historyFile('jsonHistory', path, formatJson)
}

/** Written anew after each epoch, whole or not at all: a run that is killed leaves the epochs before. */
function historyFile (name: string, path: string, format: (history: History) => string): TrainingCallback {
  let control: TrainingControl
  const write = async (): Promise<void> => { await replaceFile(path, [Buffer.from(format(control.history))]) }
  return { name, onTrainBegin: given => { control = given }, onEpochEnd: write, onTrainEnd: write }
}

/** Pure. */
export function formatCsv ({ epoch, history }: History): string {
  const names = Object.keys(history)
  const lines = epoch.map((number, index) => [number, ...names.map(name => history[name]![index])].join(','))
  return [['epoch', ...names].join(','), ...lines, ''].join('\n')
}
