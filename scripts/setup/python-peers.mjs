import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.mjs'
import { withLock } from './lock.mjs'
import { cacheDirectory } from './platform.mjs'
import { findPython } from './python-tools.mjs'
import { pythonPath, pythonTensorflow } from './python-tensorflow.mjs'

/**
 * What a server in Python needs to be compared with, in a virtual environment of its own under the user's cache folder; TensorFlow comes
 * from the environment that tests compare with, which is made first where it is missing.
 *
 * @param {string} name
 * @param {string} requirements path of its pinned packages
 * @param {{ env: import('./command.mjs').Environment, log: (line: string) => void }} options
 * @returns {Promise<string>} the interpreter
 * @throws {import('./setup-error.mjs').SetupError} if Python or a package is missing
 */
export async function setUpPeer (name, requirements, { env, log }) {
  await setUpTensorflow({ env, log })
  const packages = readFileSync(requirements, 'utf8')
  const directory = join(cacheDirectory(env), `peer-${name}-${createHash('sha256').update(packages).update(pythonPath(env)).digest('hex').slice(0, 12)}`)
  const stamp = join(directory, 'complete')
  const python = join(directory, 'bin', 'python')
  await withLock(`${directory}.lock`, async () => {
    if (existsSync(stamp)) return
    rmSync(directory, { recursive: true, force: true })
    log(`setting up ${name}: pip install`)
    await run((await findPython(env)).path, ['-m', 'venv', directory], { env })
    await shareTensorflow(python, env)
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-cache-dir', '-r', requirements], { env })
    writeFileSync(stamp, packages)
  })
  return python
}

/** @param {{ env: import('./command.mjs').Environment, log: (line: string) => void }} options */
async function setUpTensorflow ({ env, log }) {
  const context = { root: '', env, platform: process.platform, arch: process.arch, progress: /** @type {any} */ (undefined) }
  if (pythonTensorflow.isDone(context)) return
  await pythonTensorflow.run(context, { phase: text => { log(`${pythonTensorflow.name}: ${text}`) }, amount: () => {}, done: () => {}, failed: () => {} })
}

/** A `.pth` file adds a folder after the environment's own: what is installed here goes first. @param {string} python @param {import('./command.mjs').Environment} env */
async function shareTensorflow (python, env) {
  const folderOf = async (/** @type {string} */ path) => (await run(path, ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))'], { env })).trim()
  writeFileSync(join(await folderOf(python), 'tensorflow.pth'), `${await folderOf(pythonPath(env))}\n`)
}
