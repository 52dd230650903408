import { BadOptionError, UnknownRecipeError } from '../errors.ts'
import { recipes } from '../recipes/index.ts'
import type { Precision } from './lowering/scope.ts'
import { oneOf, parseCommand, positiveNumber, wholeNumber } from './options.ts'
import type { Recipe, RecipeSettings } from './recipe.ts'

/** What the command line asks for. */
export interface TrainRequest {
  readonly recipe: Recipe
  readonly settings: RecipeSettings
  /** The recipe's own options that were given. */
  readonly options: Readonly<Record<string, string>>
  readonly data: string | undefined
  readonly modelsDir: string
  readonly model: string
  /** Where runs are kept that were stopped, and what there is to look at after one. */
  readonly runsDir: string | undefined
  readonly isResumed: boolean
  readonly precision: Precision
  readonly isDryRun: boolean
  readonly findsLearningRate: boolean
}

const OPTIONS = {
  data: { type: 'string' },
  models: { type: 'string', default: 'models' },
  name: { type: 'string' },
  epochs: { type: 'string' },
  'batch-size': { type: 'string' },
  'learning-rate': { type: 'string' },
  seed: { type: 'string' },
  precision: { type: 'string', default: 'float32' },
  runs: { type: 'string' },
  resume: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  'find-learning-rate': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false }
} as const

/**
 * @param argv without node and script
 * @returns undefined if help was asked for
 * @throws BadOptionError, UnknownRecipeError
 */
export function readRequest (argv: readonly string[]): TrainRequest | undefined {
  const { values, positionals } = parsed(argv)
  if (values.help) return undefined
  const [name, ...rest] = positionals
  if (name === undefined) throw new BadOptionError(`Name a recipe.\n\n${usage()}`)
  const recipe = recipes.find(candidate => candidate.name === name)
  if (recipe === undefined) throw new UnknownRecipeError(name, recipes.map(candidate => candidate.name).join(', '))
  if (rest.length > 0) throw new BadOptionError(`There is one recipe a run; "${rest.join(' ')}" is too much`)
  return {
    recipe,
    settings: settingsOf(recipe, values),
    options: ownOptions(recipe, values),
    data: values.data,
    modelsDir: values.models,
    model: values.name ?? recipe.modelName(values.data),
    runsDir: values.runs,
    isResumed: values.resume,
    precision: oneOf('precision', values.precision, PRECISIONS),
    isDryRun: values['dry-run'],
    findsLearningRate: values['find-learning-rate']
  }
}

const PRECISIONS: readonly Precision[] = ['float32', 'bfloat16', 'float16']

type Values = ReturnType<typeof parsed>['values']

function parsed (argv: readonly string[]) {
  const own = Object.fromEntries(recipes.flatMap(({ options = {} }) => Object.keys(options).map(name => [name, { type: 'string' }] as const)))
  return parseCommand(argv, { ...own, ...OPTIONS }, usage)
}

function ownOptions ({ name, options = {} }: Recipe, values: Values): Record<string, string> {
  const given = Object.entries(values as Record<string, unknown>).filter((entry): entry is [string, string] => !(entry[0] in OPTIONS) && typeof entry[1] === 'string')
  const [foreign] = given.find(([option]) => !(option in options)) ?? []
  if (foreign !== undefined) throw new BadOptionError(`The recipe ${name} has no option --${foreign}`)
  return Object.fromEntries(given)
}

function settingsOf ({ settings }: Recipe, values: Values): RecipeSettings {
  return {
    epochs: wholeNumber('epochs', values.epochs, settings.epochs, 1),
    batchSize: wholeNumber('batch-size', values['batch-size'], settings.batchSize, 1),
    learningRate: positiveNumber('learning-rate', values['learning-rate'], settings.learningRate),
    seed: wholeNumber('seed', values.seed, settings.seed, 0)
  }
}

/** What `--help` prints. */
export function usage (): string {
  const width = Math.max(...recipes.map(({ name }) => name.length))
  const list = recipes.map(({ name, summary, data, settings, options = {} }) => {
    const { epochs, batchSize, learningRate } = settings
    const indent = ' '.repeat(width + 4)
    const own = Object.entries(options).map(([option, { description, default: otherwise }]) => `${indent}--${option}: ${description}; default ${otherwise}\n`).join('')
    return `  ${name.padEnd(width)}  ${summary}\n${indent}--data: ${data}\n${own}${indent}epochs ${epochs}, batch size ${batchSize}, learning rate ${learningRate}\n`
  }).join('')
  return `Trains a model and adds it to the models folder, where a running server finds it.

  npm run train -- <recipe> [options]

Recipes:
${list}
Options:
  --data PATH          what to learn from
  --models DIR         where models are; default models
  --name NAME          the model's name
  --epochs N           how often to go through the data
  --batch-size N       rows a step
  --learning-rate X
  --seed N             same seed, same result
  --precision NAME     what products are calculated in while learning: float32, bfloat16 or float16, where the processor has units for it
  --resume             goes on with the run that was stopped, from the same command line
  --runs DIR           where a run that is stopped is kept, and after it history, metrics and pictures; default runs
  --dry-run            shows the model, learns nothing
  --find-learning-rate tries rates from 1e-7 to 10, shows what the loss does, exports nothing
  -h, --help           this
`
}
