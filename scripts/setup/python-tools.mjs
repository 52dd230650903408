import { findProgram, run } from './command.mjs'
import { SetupError } from './setup-error.mjs'

/** @typedef {import('./command.mjs').Environment} Environment */

/**
 * Python with its pip, of any version 3: it only fetches and unpacks, nothing of TensorFlow runs in it.
 *
 * @typedef {{ path: string, pipVersion: [major: number, minor: number] }} Python
 */

const REMEDY = 'Install it (Debian, Ubuntu: apt-get install python3 python3-pip; macOS: brew install python), or set LIBTENSORFLOW to the path of a libtensorflow_cc.so.2 that you have.'

/**
 * @param {Environment} env
 * @returns {Promise<Python>}
 * @throws {SetupError} if there is no Python 3, or it has no pip
 */
export async function findPython (env) {
  const path = findProgram('python3', env)
  if (path === undefined) throw new SetupError(`python3 is needed to fetch libtensorflow and was not found.\n${REMEDY}`)
  try {
    const [, major = '', minor = ''] = /^pip (\d+)\.(\d+)/.exec(await run(path, ['-m', 'pip', '--version'], { env })) ?? []
    return { path, pipVersion: [Number(major), Number(minor)] }
  } catch (error) {
    throw new SetupError(`${path} has no pip, which is needed to fetch libtensorflow.\n${REMEDY}`, { cause: error })
  }
}
