import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.mjs'
import { withLock } from './lock.mjs'
import { cacheDirectory } from './platform.mjs'
import { findPython } from './python-tools.mjs'
import { libraryBundle, TENSORFLOW_VERSION } from './wheels.mjs'

/** @typedef {import('./set-up.mjs').Step} Step */

/** Of what TensorFlow needs, the two that its answers could change with. */
const PINS = ['keras==3.12.0', 'numpy==2.2.6']

/** TensorFlow for Python in a virtual environment of its own, for the tests that compare with it. A virtual environment can't be moved, so it is made in place and stamped last. @type {Step} */
export const pythonTensorflow = {
  name: `Python's TensorFlow ${TENSORFLOW_VERSION}`,
  isDone: ({ env }) => isInstalled(folder(env)),
  run: async ({ env, platform, arch }, progress) => {
    const directory = folder(env)
    await withLock(`${directory}.lock`, async () => {
      if (isInstalled(directory)) return
      rmSync(directory, { recursive: true, force: true })
      const { path } = await findPython(env)
      progress.phase('making a virtual environment')
      await run(path, ['-m', 'venv', directory], { env })
      progress.phase('pip install, about 1.5 GB')
      const name = libraryBundle('cpu', platform, arch)?.wheels[0]?.name ?? 'tensorflow'
      await run(join(directory, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-cache-dir', `${name}==${TENSORFLOW_VERSION}`, ...PINS], { env })
      writeFileSync(stampPath(directory), PINS.join('\n'))
    }, { onWait: holder => progress.phase(`waiting for process ${holder?.pid ?? ''}, which is at it`) })
  }
}

/** @param {import('./command.mjs').Environment} env @returns {string} the interpreter that tests are given as TENSORPORT_PYTHON */
export function pythonPath (env) {
  return join(folder(env), 'bin', 'python')
}

/** @param {import('./command.mjs').Environment} env */
function folder (env) {
  return join(cacheDirectory(env), `python-tensorflow-${TENSORFLOW_VERSION}`)
}

/** @param {string} directory */
function isInstalled (directory) {
  return existsSync(stampPath(directory)) && readFileSync(stampPath(directory), 'utf8') === PINS.join('\n') && existsSync(join(directory, 'bin', 'python'))
}

/** @param {string} directory */
function stampPath (directory) {
  return join(directory, 'complete')
}
