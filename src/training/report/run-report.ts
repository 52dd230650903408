import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LearningRateCurve } from '../learning-rate-finder.ts'
import { confusionMatrix } from '../metrics/confusion-matrix.ts'
import { confusionChart, lineChart, savePicture } from '../plotting/index.ts'
import { drawExamples } from './examples.ts'
import { curvePictures } from './history-charts.ts'
import { classFigures } from './judgement.ts'
import { writeJson, writeRunFolder } from './run-folder.ts'
import type { Mistakes, TrainingRecord } from './training-record.ts'

/** Of one run, to be found again: what was asked for, and what came of it. */
export interface RunFacts {
  readonly settings: Readonly<Record<string, unknown>>
  /** Figures of the exported model. */
  readonly metrics: Readonly<Record<string, number>>
  /** Class names by number. */
  readonly labels: readonly string[] | undefined
}

/** Collects what a run's trainings leave to be looked at, and writes it into a folder of its own. */
export class RunReport {
  readonly #runsDir: string
  readonly #model: string
  readonly #records: TrainingRecord[] = []

  constructor (runsDir: string, model: string) {
    this.#runsDir = runsDir
    this.#model = model
  }

  add (record: TrainingRecord): void {
    this.#records.push(record)
  }

  /** `settings.json`, and for each training its history, metrics and pictures, in a folder below where it has a name. @returns the run's folder */
  async write ({ settings, metrics, labels }: RunFacts): Promise<string> {
    return await writeRunFolder(this.#runsDir, this.#model, async folder => {
      await writeJson(folder, 'settings.json', settings)
      for (const record of this.#records) {
        const own = record.name === undefined ? folder : join(folder, record.name)
        await mkdir(own, { recursive: true })
        await writeRecord(own, record, record.name === undefined ? metrics : record.metrics, labels)
      }
    })
  }

  /** What the learning-rate finder found, as numbers and as a picture. @returns the run's folder */
  async writeRates (settings: RunFacts['settings'], curve: LearningRateCurve): Promise<string> {
    return await writeRunFolder(this.#runsDir, this.#model, async folder => {
      await writeJson(folder, 'settings.json', settings)
      await writeJson(folder, 'learning-rates.json', curve)
      await savePicture(folder, 'learning-rates', lineChart({
        title: 'Loss by learning rate',
        xName: 'learning rate',
        yName: 'loss',
        lines: [{ name: 'loss', points: curve.rates.map((rate, index) => [rate, curve.losses[index]!]) }],
        isLogarithmic: true,
        ...(curve.suggested !== undefined && { mark: { x: curve.suggested, name: curve.suggested.toExponential(1) } })
      }))
    })
  }
}

async function writeRecord (folder: string, { summary, history, rates, mistakes }: TrainingRecord, metrics: Readonly<Record<string, number>>, labels: readonly string[] | undefined): Promise<void> {
  await writeFile(join(folder, 'model.txt'), `${summary.join('\n')}\n`)
  await writeJson(folder, 'history.json', history)
  for (const [name, svg] of curvePictures(history, rates)) await savePicture(folder, name, svg)
  if (mistakes === undefined) return await writeJson(folder, 'metrics.json', metrics)
  const { actual, predicted, classes } = mistakes.judgement
  const counts = confusionMatrix(actual, predicted, classes)
  const names = labels?.length === classes ? labels : counts.map((_, index) => String(index))
  await writeJson(folder, 'metrics.json', { ...metrics, classes: classFigures(counts, names), confusionMatrix: counts })
  await savePicture(folder, 'confusion-matrix', confusionChart(counts, names))
  await writeMistakes(folder, mistakes, names)
}

async function writeMistakes (folder: string, { judgement: { actual, predicted, scores }, worst, examples }: Mistakes, labels: readonly string[]): Promise<void> {
  const list = Array.from(worst, (row, index) => ({
    row,
    is: labels[actual[row]!]!,
    takenFor: labels[predicted[row]!]!,
    score: scores[row]!,
    ...(examples !== undefined && 'texts' in examples && { text: examples.texts[index]! })
  }))
  await writeJson(folder, 'mistakes.json', list)
  if (examples === undefined) return
  await savePicture(folder, 'mistakes', drawExamples('The surest of the mistakes', examples, list.map(({ is, takenFor, score }) => [`is ${is}`, `→ ${takenFor} (${score.toFixed(2)})`])))
}
