import type tf from '@tensorflow/tfjs'
import { BadOptionError } from '../errors.ts'
import type { Manifest } from '../registry/manifest.ts'
import type { TensorValue, Variable } from '../tensorflow/index.ts'
import type { TrainingCallback } from './callbacks/callback.ts'
import { checkpoint } from './callbacks/checkpoint.ts'
import { traceRates, type RateTrace } from './callbacks/rate-trace.ts'
import type { Dataset } from './datasets/dataset.ts'
import { exportVersion, type ExportedVersion } from './export.ts'
import { recordGolden, type GoldenInput } from './golden-inputs.ts'
import type { History } from './history.ts'
import { describeRates } from './learning-rate-finder.ts'
import type { Precision } from './lowering/scope.ts'
import { modelSummary } from './model-summary.ts'
import { TrainingStopped } from './options.ts'
import { buildPredictor, closePredictor, savePredictor, type Predictor } from './predictor.ts'
import { formatLogs, ProgressReporter, type ProgressStream } from './progress.ts'
import { withSeed } from './random.ts'
import type { Recipe, RecipeSettings } from './recipe.ts'
import type { ShowRows } from './report/examples.ts'
import type { RunReport } from './report/run-report.ts'
import { findMistakes } from './report/training-record.ts'
import type { RunCheckpoints } from './run-checkpoints.ts'
import { Trainer } from './trainer.ts'
import type { TrainingOptions } from './training-graph.ts'

/** `--dry-run` or `--find-learning-rate`: what was asked for was shown, and nothing is exported. */
export class DryRunEnded extends Error {
  override readonly name = 'DryRunEnded'
}

export interface RecipeRunOptions {
  readonly recipe: Recipe
  readonly settings: RecipeSettings
  /** The recipe's own options that the command line gave. */
  readonly options: Readonly<Record<string, string | undefined>>
  readonly data?: string | undefined
  readonly modelsDir: string
  readonly model: string
  /** The user's cache folder, for data that is fetched. */
  readonly cacheDirectory: string
  /** As the user gave it; goes into the manifest. */
  readonly command: string
  readonly stream: ProgressStream
  /** Shows the model instead of training it. */
  readonly isDryRun: boolean
  /** What products are calculated in while the model learns; default float32. */
  readonly precision?: Precision
  /** Tries learning rates instead of training. */
  readonly findsLearningRate?: boolean
  readonly signal?: AbortSignal
  /** Where a run that is stopped is kept to be gone on with; nowhere unless given. */
  readonly checkpoints?: RunCheckpoints
  /** Where what there is to look at is written; nowhere unless given. */
  readonly report?: RunReport
}

/** A model and what it learns from. */
export interface RecipeTraining extends Omit<TrainingOptions, 'seed'> {
  /** Of a training that is not the main one: its folder in the run's. */
  readonly name?: string
  readonly data: Dataset
  /** Measured after each epoch; default `heldOut`. Its own rows, taken from those to learn from, where anything is chosen by it. */
  readonly validation?: Dataset
  /** Measured once, at the end. Never learned from. */
  readonly heldOut: Dataset
  readonly callbacks?: readonly TrainingCallback[]
  /** Instead of the settings', for a training that is not the main one. */
  readonly epochs?: number
  /** Also measures the rows that were learned from, without dropout, to compare with the held-out ones. */
  readonly measuresLearned?: boolean
  /** Shows held-out rows to people; default: their images, if the model's first input is some. */
  readonly show?: ShowRows
  /** Makes what is exported from what was learned; default the model itself. */
  readonly buildPredictor?: (values: readonly (readonly [Variable, TensorValue])[]) => Promise<Predictor>
}

/** A model that has learned. */
export interface Trained {
  readonly predictor: Predictor
  /** Of the held-out rows. */
  readonly metrics: Readonly<Record<string, number>>
  readonly history: History
  /** In the order of the model's weights. */
  readonly values: readonly (readonly [Variable, TensorValue])[]
}

/** What a version is made of, besides what every run says of itself. */
export interface RecipeExport extends Pick<Trained, 'predictor' | 'metrics'> {
  readonly manifest: Omit<Manifest, 'format' | 'files' | 'training' | 'golden'>
  readonly golden: readonly GoldenInput[]
  /** Where data and weights came from, with their licence. */
  readonly origin: string
  /** Files for `assets/`: name there → path. */
  readonly assets?: Readonly<Record<string, string>>
}

/** One run of a recipe: its settings, and what every recipe does alike. */
export class RecipeRun {
  readonly settings: RecipeSettings
  readonly data: string | undefined
  readonly modelsDir: string
  readonly cacheDirectory: string
  readonly progress: ProgressReporter
  readonly signal: AbortSignal | undefined
  readonly #options: RecipeRunOptions
  #isSaved = false

  constructor (options: RecipeRunOptions) {
    this.#options = options
    this.settings = options.settings
    this.data = options.data
    this.modelsDir = options.modelsDir
    this.cacheDirectory = options.cacheDirectory
    this.signal = options.signal
    this.progress = new ProgressReporter(options.stream)
  }

  /** Tells the user something. */
  say (line: string): void {
    this.progress.line(line)
  }

  /** One of the recipe's own options, by its name on the command line. */
  option (name: string): string {
    const value = this.#options.options[name] ?? this.#options.recipe.options?.[name]?.default
    if (value === undefined) throw new Error(`The recipe ${this.#options.recipe.name} has no option "${name}". This is a bug.`)
    return value
  }

  /** One of the recipe's own options that is a number. @throws BadOptionError if it is none, or out of bounds */
  numberOption (name: string, { least, most = Infinity, isWhole = false }: { least: number, most?: number, isWhole?: boolean }): number {
    const text = this.option(name)
    const value = text.trim() === '' ? NaN : Number(text)
    if (value >= least && value <= most && (!isWhole || Number.isSafeInteger(value))) return value
    throw new BadOptionError(`--${name} takes a ${isWhole ? 'whole ' : ''}number from ${least}${most === Infinity ? '' : ` to ${most}`}, not "${text}"`)
  }

  /** Builds a model whose first weights the run's seed decides. */
  build (build: () => tf.LayersModel): tf.LayersModel {
    return withSeed(this.settings.seed, build)
  }

  /**
   * Trains as the settings say, with a bar, and measures on rows that were not learned from.
   *
   * @throws TrainingStopped on Ctrl-C; TrainingDivergedError, DatasetError as `Trainer.fit`
   * @throws DryRunEnded where the model was only to be shown, or learning rates to be tried
   */
  async train (training: RecipeTraining): Promise<Trained> {
    if (this.#options.isDryRun) {
      for (const line of modelSummary(training.model)) this.say(line)
      throw new DryRunEnded('Nothing was learned.')
    }
    const { model, inputTypes, heldOut, show } = training
    const { precision } = this.#options
    const trainer = await Trainer.create({ metrics: ['accuracy'], ...training, seed: this.settings.seed, ...(precision !== undefined && { precision }) })
    try {
      if (this.#options.findsLearningRate === true) await this.#findLearningRate(trainer, training.data)
      const { history, rates } = await this.#fit(trainer, training)
      const learned = training.measuresLearned === true ? await this.#evaluate(trainer, 'Learned rows', training.data) : undefined
      const measured = await this.#evaluate(trainer, 'Held-out rows', heldOut)
      const metrics = { ...measured, ...(learned !== undefined && { learnedAccuracy: learned.accuracy }) }
      const { report } = this.#options
      report?.add({ name: training.name, summary: modelSummary(model), history, rates, metrics, mistakes: await findMistakes(trainer, heldOut, this.settings.batchSize, show) })
      const values = await trainer.values()
      const predictor = await (training.buildPredictor?.(values) ?? buildPredictor(model, values, inputTypes))
      return { predictor, metrics, history, values }
    } finally {
      await trainer.close()
    }
  }

  /** @throws TrainingStopped on Ctrl-C */
  stopIfAsked (): void {
    if (this.signal?.aborted === true) throw new TrainingStopped(`Stopped. Nothing was exported.${this.#isSaved ? ' The same command with --resume goes on.' : ''}`)
  }

  /** Adds the version to the models folder, whole or not at all, and closes the predictor. @throws as `exportVersion` */
  async export ({ predictor, metrics, manifest, golden, origin, assets }: RecipeExport): Promise<ExportedVersion> {
    const { recipe, settings: { seed, ...settings }, command, model, checkpoints, precision, report } = this.#options
    try {
      const exported = await exportVersion(this.modelsDir, model, async directory => {
        await savePredictor(directory, predictor, assets)
        return {
          ...manifest,
          training: { recipe: recipe.name, settings: { ...settings, ...(precision !== undefined && { precision }) }, seed, metrics: { ...metrics }, createdAt: new Date().toISOString(), command, origin },
          golden: await recordGolden(predictor, golden)
        }
      })
      await checkpoints?.remove()
      this.say(`Exported ${exported.directory}`)
      if (report !== undefined) await this.#tell(report.write({ settings: { ...this.#asked(), version: exported.directory }, metrics, labels: manifest.labels }))
      return exported
    } finally {
      await closePredictor(predictor)
    }
  }

  async #fit (trainer: Trainer, { data, heldOut, validation = heldOut, callbacks = [], epochs = this.settings.epochs }: RecipeTraining): Promise<{ history: History, rates: RateTrace }> {
    const rates = traceRates()
    const { batchSize } = this.settings
    const { path, resume } = this.#options.checkpoints?.next() ?? {}
    if (resume !== undefined) this.say(`Going on with ${resume}`)
    const history = await trainer.fit({
      data,
      validation,
      epochs,
      batchSize,
      callbacks: [...callbacks, rates, ...(path === undefined ? [] : [checkpoint({ path })]), this.progress.callback()],
      ...(resume !== undefined && { resume }),
      ...(this.signal !== undefined && { signal: this.signal })
    })
    this.#isSaved = path !== undefined
    this.stopIfAsked()
    return { history, rates: rates.trace }
  }

  async #findLearningRate (trainer: Trainer, data: Dataset): Promise<never> {
    const curve = await trainer.findLearningRate({ data, batchSize: this.settings.batchSize })
    for (const line of describeRates(curve)) this.say(line)
    const { report } = this.#options
    if (report !== undefined) await this.#tell(report.writeRates(this.#asked(), curve))
    throw new DryRunEnded('Nothing was learned.')
  }

  /** What the run was asked to do. */
  #asked (): Record<string, unknown> {
    const { recipe, settings, options, command, data, precision = 'float32' } = this.#options
    const own = Object.fromEntries(Object.entries(recipe.options ?? {}).map(([name, { default: otherwise }]) => [name, options[name] ?? otherwise]))
    return { recipe: recipe.name, command, ...(data !== undefined && { data }), ...settings, precision, ...own, createdAt: new Date().toISOString() }
  }

  /** Where there is something to look at. A model is not lost because a picture of it can't be written. */
  async #tell (report: Promise<string>): Promise<void> {
    try {
      this.say(`History, metrics and pictures: ${await report}`)
    } catch (error) {
      this.say(`The run's pictures could not be written: ${(error as Error).message}`)
    }
  }

  async #evaluate (trainer: Trainer, title: string, data: Dataset): Promise<{ loss: number, accuracy: number, rows: number }> {
    const { loss = NaN, acc = NaN, ...others } = await trainer.evaluate(data, this.settings.batchSize)
    this.say(`${title}: ${data.rows}  ${formatLogs({ loss, acc, ...others })}`)
    return { loss, accuracy: acc, ...others, rows: data.rows }
  }
}
