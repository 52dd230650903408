import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { addon } from './addon.mjs'
import { endOnSignals } from './command.mjs'
import { defaultModels } from './default-models.mjs'
import { dist } from './dist.mjs'
import { kernels } from './kernels.mjs'
import { library } from './library.mjs'
import { withLock } from './lock.mjs'
import { nodeModules } from './node-modules.mjs'
import { cacheDirectory } from './platform.mjs'
import { createProgress } from './progress.mjs'
import { pythonTensorflow } from './python-tensorflow.mjs'
import { SetupError } from './setup-error.mjs'

/**
 * @typedef {object} Context
 * @property {string} root the clone
 * @property {import('./command.mjs').Environment} env
 * @property {string} platform @property {string} arch as Node names them
 * @property {import('./progress.mjs').Progress} progress
 *
 * @typedef {object} Step
 * @property {string} name
 * @property {(context: Context) => boolean} isDone takes a few milliseconds and changes nothing
 * @property {(context: Context, progress: import('./progress.mjs').StepProgress) => Promise<void>} run may be killed at any time and is then run again
 */

/** What each purpose needs, in order. @type {Record<string, Step[]>} */
export const STEPS = {
  build: [nodeModules, dist],
  library: [library],
  start: [nodeModules, library, kernels, dist, defaultModels],
  train: [nodeModules, library, addon, kernels, dist],
  test: [nodeModules, library, addon, kernels, dist, defaultModels],
  ci: [nodeModules, library, addon, kernels, dist, defaultModels, pythonTensorflow]
}

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Brings a clone to where it can do what it is wanted for. Steps that are done are skipped; of two set-ups of one clone the second waits.
 *
 * @param {readonly Step[]} steps
 * @param {Partial<Context>} [given]
 * @returns {Promise<string[]>} the names of the steps that were run
 * @throws {SetupError}
 */
export async function setUp (steps, given = {}) {
  const context = { root: ROOT, env: process.env, platform: process.platform, arch: process.arch, progress: createProgress(), ...given }
  /** @type {string[]} */
  const ran = []
  for (const step of steps) {
    if (step.isDone(context)) continue
    await withLock(cloneLock(context), () => runStep(step, context), {
      onWait: holder => context.progress.note(`waiting for process ${holder?.pid ?? ''}, which sets up this folder`)
    }) && ran.push(step.name)
  }
  return ran
}

/** For the commands: as `setUp`, but ends the process where it fails, without a stack if what failed is not ours. @param {string} purpose */
export async function setUpOrExit (purpose) {
  const setUpIsOver = endOnSignals()
  const steps = STEPS[purpose]
  try {
    if (steps === undefined) throw new SetupError(`There is nothing to set up for "${purpose}"; there are: ${Object.keys(STEPS).join(', ')}`)
    await setUp(steps)
  } catch (error) {
    console.error(error instanceof SetupError ? `\n${error.message}` : error)
    process.exit(1)
  } finally {
    setUpIsOver()
  }
}

/** @param {Step} step @param {Context} context @returns {Promise<boolean>} false if another process has done it meanwhile */
async function runStep (step, context) {
  if (step.isDone({ ...context, progress: { ...context.progress, note: () => {} } })) return false
  const progress = context.progress.step(step.name)
  try {
    await step.run(context, progress)
    progress.done()
    return true
  } catch (error) {
    progress.failed()
    throw error
  }
}

/** Outside the clone, since a step may remove whole folders of it. @param {Context} context */
function cloneLock ({ root, env }) {
  return join(cacheDirectory(env), `clone-${createHash('sha256').update(root).digest('hex').slice(0, 16)}.lock`)
}
