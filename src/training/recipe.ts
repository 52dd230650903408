import type { ExportedVersion } from './export.ts'
import type { RecipeRun } from './recipe-run.ts'
import type { Hyperparameters, SearchSpace } from './tuning/search-space.ts'
import type { Objective } from './tuning/trial.ts'

/** Numbers that every recipe has, with defaults of its own, and that the command line may change. */
export interface RecipeSettings {
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: number
  /** Decides the first weights, dropout, the order of rows and what is held out. */
  readonly seed: number
}

/** An option that only this recipe has. */
export interface RecipeOption {
  /** One line for the list of recipes. */
  readonly description: string
  /** Taken if the command line says nothing. */
  readonly default: string
}

/** A named training run: data → model → train → evaluate → export. */
export interface Recipe {
  readonly name: string
  /** One line for the list of recipes. */
  readonly summary: string
  /** What `--data` has to be, and what is taken if it is left out. */
  readonly data: string
  readonly settings: RecipeSettings
  /** By their names on the command line, without `--`. */
  readonly options?: Readonly<Record<string, RecipeOption>>
  /** What `npm run tune` looks through: settings by their names here, options by theirs on the command line. */
  readonly tuning?: { readonly space: SearchSpace, readonly objective: Objective }
  /** The model's name if the command line gives none. */
  modelName (data: string | undefined): string
  run (run: RecipeRun): Promise<ExportedVersion>
}

/** Settings and options with hyperparameters in their places; what is not among them has its default. Pure. */
export function settle ({ settings }: Recipe, given: Partial<RecipeSettings>, hyperparameters: Hyperparameters): { settings: RecipeSettings, options: Record<string, string> } {
  const entries = Object.entries(hyperparameters)
  const ofSettings = entries.filter(([name]) => name in settings)
  const ofOptions = entries.filter(([name]) => !(name in settings))
  return {
    settings: { ...settings, ...given, ...Object.fromEntries(ofSettings) },
    options: Object.fromEntries(ofOptions.map(([name, value]) => [name, String(value)]))
  }
}
