import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { accessSync, constants as modes } from 'node:fs'
import { delimiter, join } from 'node:path'
import { recordChild, releaseAll } from './lock.mjs'
import { SetupError } from './setup-error.mjs'

/** @typedef {Record<string, string | undefined>} Environment */

const LINES_SHOWN = 30
/** @type {readonly NodeJS.Signals[]} */
export const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()

/**
 * Runs a program to its end without a shell and keeps what it prints.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Environment, onOutput?: (text: string) => void }} [options]
 * @returns {Promise<string>} its standard output
 * @throws {SetupError} if it can't be started or fails, with the last lines it printed
 */
export async function run (file, args, { cwd, env = process.env, onOutput = () => {} } = {}) {
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'], ...(cwd === undefined ? {} : { cwd }) })
  running.add(child)
  const childEnded = child.pid === undefined ? () => {} : recordChild(child.pid)
  let output = ''
  let all = ''
  child.stdout.setEncoding('utf8').on('data', text => { output += text; all += text; onOutput(text) })
  child.stderr.setEncoding('utf8').on('data', text => { all += text })
  try {
    const outcome = await new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => resolve(signal ?? code))
    })
    if (outcome !== 0) throw new Error(`ended with ${outcome}`)
    return output
  } catch (error) {
    const what = /** @type {Error} */ (error).message
    throw new SetupError(`${[file, ...args].join(' ')}: ${what}\n${lastLines(all)}`, { cause: error })
  } finally {
    running.delete(child)
    childEnded()
  }
}

/**
 * Ctrl-C and `kill` end the set-up together with what it started, and give its locks back.
 *
 * @returns {() => void} to be called when the set-up is over
 */
export function endOnSignals () {
  /** @param {NodeJS.Signals} signal */
  const end = signal => {
    for (const child of running) child.kill('SIGTERM')
    releaseAll()
    process.exit(128 + constants.signals[signal])
  }
  for (const signal of SIGNALS) process.on(signal, end)
  return () => { for (const signal of SIGNALS) process.off(signal, end) }
}

/**
 * Where a program is, as a shell would find it.
 *
 * @param {string} name
 * @param {Environment} env
 * @returns {string | undefined}
 */
export function findProgram (name, env) {
  const { PATH: path = '' } = env
  return path.split(delimiter).filter(folder => folder !== '').map(folder => join(folder, name)).find(isExecutable)
}

/** The C++ compiler that the environment names, and those that are tried after it. @param {Environment} env */
export function compilerNames ({ CXX: given = 'c++' }) {
  return [given, 'g++', 'clang++']
}

/** @param {string} path */
function isExecutable (path) {
  try {
    accessSync(path, modes.X_OK)
    return true
  } catch {
    return false
  }
}

/** @param {string} text */
function lastLines (text) {
  return text.trimEnd().split('\n').slice(-LINES_SHOWN).join('\n')
}
