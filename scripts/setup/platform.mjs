import { spawnSync } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './command.mjs'
import { SetupError } from './setup-error.mjs'

/** @typedef {import('./command.mjs').Environment} Environment */
/** @typedef {'cpu' | 'gpu'} Variant */

/**
 * The user's cache folder for all clones. The same as `cacheDirectory` in src/tensorflow/locate.ts, which can't be imported before it is built.
 *
 * @param {Environment} env
 * @param {string} [platform]
 */
export function cacheDirectory (env, platform = process.platform) {
  const { XDG_CACHE_HOME: xdg, HOME: home = homedir() } = env
  if (xdg !== undefined && xdg !== '') return join(xdg, 'tensorport')
  return platform === 'darwin' ? join(home, 'Library', 'Caches', 'tensorport') : join(home, '.cache', 'tensorport')
}

/**
 * Which build of libtensorflow: what TENSORFLOW_VARIANT says, else the GPU build where `nvidia-smi` finds a GPU.
 *
 * @param {Environment} env
 * @returns {Variant}
 * @throws {SetupError} if TENSORFLOW_VARIANT is neither `cpu` nor `gpu`
 */
export function chooseVariant (env) {
  const { TENSORFLOW_VARIANT: wanted = '' } = env
  if (wanted === 'cpu' || wanted === 'gpu') return wanted
  if (wanted !== '') throw new SetupError(`TENSORFLOW_VARIANT is "${wanted}"; it can be cpu or gpu.`)
  const nvidiaSmi = findProgram('nvidia-smi', env)
  return nvidiaSmi !== undefined && spawnSync(nvidiaSmi, { env, stdio: 'ignore' }).status === 0 ? 'gpu' : 'cpu'
}
