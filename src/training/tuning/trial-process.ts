import { recipes } from '../../recipes/index.ts'
import { cacheDirectory, loadLibrary } from '../../tensorflow/index.ts'
import { settle } from '../recipe.ts'
import { TrialMeasured, TrialRun } from './trial-run.ts'
import { GIVE_UP, type TrialNews, type TrialOrder } from './trial-messages.ts'
import { bestOf } from './trial.ts'

// A trial in a process of its own: whatever happens in it, the search goes on. Speaks with it over Node's channel between processes.

/** In order. Where nobody listens any more there is nobody to tell: the process ends with the channel. */
function tell (news: TrialNews): void {
  process.send!(news)
}

async function run (order: TrialOrder, signal: AbortSignal): Promise<void> {
  const bestOfExecutions: number[] = []
  for (const [execution, seed] of order.seeds.entries()) {
    if (signal.aborted) break
    const values = await execute(order, seed, signal, value => { if (execution === 0) tell({ kind: 'epoch', value }) })
    const best = bestOf(order.objective, values)
    if (best !== undefined) bestOfExecutions.push(best.value)
  }
  tell({ kind: 'done', bestOfExecutions, stopped: signal.aborted })
}

/** @returns the objective after each epoch */
async function execute ({ recipe: name, data, modelsDir, hyperparameters, epochs, objective }: TrialOrder, seed: number, signal: AbortSignal, onValue: (value: number) => void): Promise<readonly number[]> {
  const recipe = recipes.find(candidate => candidate.name === name)
  if (recipe === undefined) throw new Error(`There is no recipe "${name}". This is a bug.`)
  loadLibrary()
  const values: number[] = []
  const trial = new TrialRun({
    recipe,
    ...settle(recipe, { epochs, seed }, hyperparameters),
    data,
    modelsDir,
    model: recipe.modelName(data),
    cacheDirectory: cacheDirectory(process.env),
    command: '',
    stream: { write: () => {} },
    isDryRun: false,
    signal
  }, logs => {
    const value = logs[objective.figure]
    if (value === undefined) throw new Error(`There is no figure "${objective.figure}" in this recipe's history; there are: ${Object.keys(logs).join(', ')}`)
    values.push(value)
    onValue(value)
  })
  try {
    await recipe.run(trial)
  } catch (error) {
    if (!(error instanceof TrialMeasured)) throw error
  }
  return values
}

const stop = new AbortController()
process.on('message', message => {
  if (message === GIVE_UP) stop.abort()
  else {
    run(message as TrialOrder, stop.signal)
      .catch((error: unknown) => { tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) }) })
      .finally(() => { process.disconnect() })
  }
})
// Ctrl-C in a terminal reaches every process: the search decides what it means.
process.on('SIGINT', () => {})
process.on('disconnect', () => { process.exit() })
