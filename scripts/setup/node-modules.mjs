import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { findProgram, run } from './command.mjs'
import { SetupError } from './setup-error.mjs'

/**
 * @typedef {import('./set-up.mjs').Step} Step
 * @typedef {{ version?: string, optional?: boolean, link?: boolean }} LockedPackage
 */

/** What package-lock.json names, installed by npm. npm removes node_modules first and writes its record last, so half of it never counts. @type {Step} */
export const nodeModules = {
  name: 'node dependencies',
  isDone: ({ root }) => isInstalled(root),
  run: async ({ root, env }, progress) => {
    progress.phase('npm ci')
    await run(process.execPath, [npmCli(env), 'ci', '--no-progress', '--loglevel=error'], { cwd: root, env })
  }
}

/**
 * Whether what npm recorded of node_modules is what package-lock.json names. More than it names may be there.
 *
 * @param {string} root
 */
export function isInstalled (root) {
  const record = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(record)) return false
  const installed = readPackages(record)
  return Object.entries(readPackages(join(root, 'package-lock.json'))).every(([path, locked]) => {
    const found = installed[path]
    if (path === '' || locked.link === true) return true
    return found === undefined ? locked.optional === true : found.version === locked.version
  })
}

/** @param {string} path @returns {Record<string, LockedPackage>} */
function readPackages (path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages
}

/**
 * npm's own program, to be run by this Node.
 *
 * @param {import('./command.mjs').Environment} env
 * @returns {string}
 */
export function npmCli (env) {
  const { npm_execpath: running = '' } = env
  if (basename(running) === 'npm-cli.js') return running
  const found = [join(dirname(process.execPath), 'npm'), findProgram('npm', env)]
    .filter(path => path !== undefined && existsSync(path)).map(path => realpathSync(/** @type {string} */ (path)))
    .find(path => basename(path) === 'npm-cli.js')
  if (found === undefined) throw new SetupError('npm was not found. It comes with Node: install Node 22 or 24 with it (Debian, Ubuntu: apt-get install npm).')
  return found
}
