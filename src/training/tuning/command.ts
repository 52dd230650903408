import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BadOptionError, NothingTunedError, UnknownRecipeError } from '../../errors.ts'
import { recipes } from '../../recipes/index.ts'
import { cacheDirectory, loadLibrary } from '../../tensorflow/index.ts'
import { checkDestination } from '../export.ts'
import { INTERRUPTED, parseCommand, reasonOf, TrainingStopped, wholeNumber } from '../options.ts'
import type { ProgressStream } from '../progress.ts'
import { settle, type Recipe } from '../recipe.ts'
import { RecipeRun } from '../recipe-run.ts'
import { RunReport } from '../report/run-report.ts'
import { winner } from './halving.ts'
import { SEARCHES, type SearchName } from './search.ts'
import type { Hyperparameters } from './search-space.ts'
import { Study, type StudyPlan } from './study.ts'
import { drawStudy } from './study-report.ts'
import { childTrials, type StartTrial } from './trial-child.ts'
import { formatHyperparameters, TrialTable } from './trial-table.ts'
import { tune } from './tuner.ts'

/** Where the command writes, what it keeps where, and what can stop it. */
export interface TuneContext {
  readonly out: ProgressStream
  readonly err: Pick<ProgressStream, 'write'>
  /** The user's cache folder. */
  readonly cacheDirectory: string
  readonly signal: AbortSignal
  /** Another way to run trials than in processes. */
  readonly start?: StartTrial
}

const OPTIONS = {
  trials: { type: 'string', default: '20' },
  search: { type: 'string', default: 'random' },
  epochs: { type: 'string' },
  executions: { type: 'string', default: '1' },
  parallel: { type: 'string' },
  seed: { type: 'string' },
  data: { type: 'string' },
  dir: { type: 'string' },
  models: { type: 'string', default: 'models' },
  name: { type: 'string' },
  'no-export': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false }
} as const

/**
 * `npm run tune -- <recipe> [options]`
 *
 * @param argv without node and script
 * @returns the exit code: 0 if the search came to its end, 1 if not and the reason was printed, 130 if it was stopped
 */
export async function main (argv: readonly string[], context: TuneContext): Promise<number> {
  const { out, err } = context
  try {
    const request = readRequest(argv)
    if (request === undefined) {
      out.write(usage())
      return 0
    }
    await checkDestination(request.modelsDir, request.model)
    loadLibrary()
    await search(request, context)
    return 0
  } catch (error) {
    err.write(`${reasonOf(error)}\n`)
    return error instanceof TrainingStopped ? INTERRUPTED : 1
  }
}

interface Request {
  readonly recipe: Recipe
  readonly plan: StudyPlan
  readonly directory: string
  readonly trials: number
  readonly parallel: number
  readonly modelsDir: string
  readonly model: string
  readonly isExported: boolean
  readonly command: string
}

async function search (request: Request, context: TuneContext): Promise<void> {
  const { plan, directory, trials, parallel, modelsDir } = request
  const { out, signal } = context
  const study = await Study.open(directory, plan)
  if (study.results.length > 0) out.write(`${study.results.length} trials of an earlier run are kept in ${directory}\n`)
  const table = new TrialTable(out, study.results.length)
  const threads = Math.max(1, Math.floor(availableParallelism() / parallel))
  await tune({
    plan,
    study,
    modelsDir,
    trials,
    parallel,
    start: context.start ?? childTrials(threads),
    onChange: running => { table.show({ objective: plan.objective, epochs: plan.epochs, trials, results: study.results, running }) },
    signal
  })
  if (signal.aborted) throw new TrainingStopped(`Stopped. The same command goes on after the ${study.results.length} trials in ${directory}.`)
  const best = winner(plan.objective, study.results)
  if (best === undefined) throw new NothingTunedError(study.results.length, study.results.at(-1)?.reason ?? 'no trial ran')
  out.write(`Best: trial ${best.number}, ${plan.objective.figure} ${best.value.toFixed(4)} after ${best.bestEpoch} of ${plan.epochs} epochs: ${formatHyperparameters(best.hyperparameters)}\n`)
  await drawStudy(directory, plan, study.results)
  out.write(`Pictures of the search: ${directory}\n`)
  if (request.isExported) await trainBest(request, context, best.hyperparameters)
}

/** On all rows to learn from, held-out rows measured for the first time. */
async function trainBest ({ recipe, plan, directory, modelsDir, model, command }: Request, { out, cacheDirectory, signal }: TuneContext, hyperparameters: Hyperparameters): Promise<void> {
  const { epochs, seed, data } = plan
  const report = new RunReport(directory, 'best')
  await recipe.run(new RecipeRun({ recipe, ...settle(recipe, { epochs, seed }, hyperparameters), data, modelsDir, model, command, cacheDirectory, stream: out, isDryRun: false, signal, report }))
}

/** @returns undefined if help was asked for */
function readRequest (argv: readonly string[]): Request | undefined {
  const { values, positionals } = parseCommand(argv, OPTIONS, usage)
  if (values.help) return undefined
  const [name, ...rest] = positionals
  const tunable = recipes.filter(({ tuning }) => tuning !== undefined)
  if (name === undefined) throw new BadOptionError(`Name a recipe.\n\n${usage()}`)
  const recipe = tunable.find(candidate => candidate.name === name)
  if (recipe?.tuning === undefined) throw new UnknownRecipeError(name, tunable.map(candidate => candidate.name).join(', '))
  if (rest.length > 0) throw new BadOptionError(`There is one recipe a search; "${rest.join(' ')}" is too much`)
  const { space, objective } = recipe.tuning
  const plan: StudyPlan = {
    recipe: name,
    data: values.data,
    search: searchNamed(values.search),
    objective,
    space,
    epochs: wholeNumber('epochs', values.epochs, recipe.settings.epochs, 1),
    executions: wholeNumber('executions', values.executions, 1, 1),
    seed: wholeNumber('seed', values.seed, recipe.settings.seed, 0)
  }
  return {
    recipe,
    plan,
    directory: values.dir ?? join('runs', 'tune', name),
    trials: wholeNumber('trials', values.trials, 20, 1),
    parallel: wholeNumber('parallel', values.parallel, Math.max(1, Math.floor(availableParallelism() / 2)), 1),
    modelsDir: values.models,
    model: values.name ?? recipe.modelName(values.data),
    isExported: !values['no-export'],
    command: ['npm run tune --', ...argv].join(' ')
  }
}

function searchNamed (given: string): SearchName {
  const found = SEARCHES.find(search => search === given)
  if (found === undefined) throw new BadOptionError(`--search takes one of ${SEARCHES.join(', ')}, not "${given}"`)
  return found
}

function usage (): string {
  const list = recipes.flatMap(({ name, tuning }) => tuning === undefined ? [] : [`  ${name}: ${Object.keys(tuning.space).join(', ')}\n`]).join('')
  return `Looks for a recipe's best hyperparameters, trains the best model on everything and adds it to the models folder.

  npm run tune -- <recipe> [options]

Recipes and what is looked through:
${list}
Options:
  --trials N           how many combinations to try; default 20
  --search NAME        ${SEARCHES.join(', ')}; default random
  --epochs N           of each trial, and of the best model
  --executions N       of each trial, with seeds of their own; the mean counts; default 1
  --parallel N         trials at once; default half of the processor's cores
  --seed N
  --data PATH          what to learn from
  --dir DIR            where trials are kept; a search that was stopped goes on there; default runs/tune/<recipe>
  --models DIR         where models are; default models
  --name NAME          the model's name
  --no-export          only look
  -h, --help           this
`
}

/** The first Ctrl-C ends the trials under way after a step, the second at once. */
async function runFromTerminal (): Promise<void> {
  const stop = new AbortController()
  process.once('SIGINT', () => { stop.abort() })
  process.once('SIGTERM', () => { stop.abort() })
  process.exitCode = await main(process.argv.slice(2), { out: process.stdout, err: process.stderr, cacheDirectory: cacheDirectory(process.env), signal: stop.signal })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await runFromTerminal()
