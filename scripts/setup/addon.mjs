import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { compilerNames, findProgram, run } from './command.mjs'
import { libraryFolders } from './library.mjs'
import { npmCli } from './node-modules.mjs'
import { findPython } from './python-tools.mjs'

/**
 * @typedef {import('./set-up.mjs').Step} Step
 * @typedef {import('./set-up.mjs').Context} Context
 */

const NAPI_VERSION = 8
/** tfjs-node calls functions of Node's `util` that Node 23 dropped. */
const LAST_NODE = 22

/**
 * The addon of tfjs-node-gpu, built against our libtensorflow. Only tests that compare with it need it: training runs without, so
 * where it can't be built the set-up says so and goes on.
 *
 * @type {Step}
 */
export const addon = {
  name: 'tfjs-node addon',
  isDone: context => {
    const reason = whyNot(context)
    if (reason !== undefined) context.progress.note(`tfjs-node addon: not built, ${reason}. Training works without; tests that compare with it are skipped.`)
    return reason !== undefined || isBuilt(context)
  },
  run: async (context, progress) => {
    const folders = libraryFolders(context)
    if (folders === undefined) throw new Error('whyNot() answers for missing folders. This is a bug.')
    const directory = packageDirectory(context)
    rmSync(join(directory, 'lib'), { recursive: true, force: true })
    linkDependencies(directory, folders)
    progress.phase('compiling')
    await build(context, directory)
    rmSync(join(directory, 'build'), { recursive: true })
    writeFileSync(stampPath(directory), stampOf(folders))
  }
}

/** @param {Context} context @returns {string | undefined} the reason why the addon can't be built here */
function whyNot (context) {
  const { env } = context
  if (Number(process.versions.node.split('.')[0]) > LAST_NODE) return `tfjs-node does not run on Node ${process.versions.node}`
  if (!existsSync(packageDirectory(context))) return '@tensorflow/tfjs-node-gpu is not installed'
  if (libraryFolders(context) === undefined) return 'there are no TensorFlow headers beside LIBTENSORFLOW'
  const missing = [['python3'], ['make'], compilerNames(env)].filter(names => !names.some(name => findProgram(name, env)))
  return missing.length === 0 ? undefined : `there is no ${missing.map(([name]) => name).join(', no ')}`
}

/** @param {Context} context */
function isBuilt (context) {
  const directory = packageDirectory(context)
  const folders = libraryFolders(context)
  return folders !== undefined && existsSync(join(directory, 'lib', 'napi-v8', 'tfjs_binding.node')) &&
    existsSync(stampPath(directory)) && readFileSync(stampPath(directory), 'utf8') === stampOf(folders)
}

/** @param {Context} context */
function packageDirectory ({ root }) {
  return join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu')
}

/** @param {string} directory */
function stampPath (directory) {
  return join(directory, 'lib', 'built-against')
}

/** @param {{ libraries: string }} folders */
function stampOf ({ libraries }) {
  return realpathSync(libraries)
}

/** The addon is linked with `-ltensorflow` and at run time wants the names that the libraries have of themselves. @param {string} directory @param {{ libraries: string, headers: string }} folders */
function linkDependencies (directory, { libraries, headers }) {
  const deps = join(directory, 'deps')
  rmSync(deps, { recursive: true, force: true })
  mkdirSync(join(deps, 'lib'), { recursive: true })
  symlinkSync(headers, join(deps, 'include'))
  for (const file of readdirSync(libraries).filter(name => /^libtensorflow_(cc|framework)\.(so\.2|2\.dylib)$/.test(name))) {
    const target = join(libraries, file)
    for (const name of namesOf(file)) if (!isThere(join(deps, 'lib', name))) symlinkSync(target, join(deps, 'lib', name))
  }
}

/** @param {string} file */
function namesOf (file) {
  const linked = file.replace('_cc', '')
  return [file, linked, linked.replace('.so.2', '.so')]
}

/** @param {string} path */
function isThere (path) {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** npm carries node-gyp. Node's headers are taken from beside Node where they are; else node-gyp looks for them in its own way. @param {Context} context @param {string} directory */
async function build ({ env }, directory) {
  const { path: python } = await findPython(env)
  const nodeGyp = createRequire(npmCli(env)).resolve('node-gyp/bin/node-gyp.js')
  const nodeDirectory = join(dirname(realpathSync(process.execPath)), '..')
  const headers = existsSync(join(nodeDirectory, 'include', 'node', 'node_api.h')) ? [`--nodedir=${nodeDirectory}`] : []
  await run(process.execPath, [nodeGyp, 'rebuild', ...headers, '--module_name=tfjs_binding',
    `--module_path=${join(directory, 'lib', `napi-v${NAPI_VERSION}`)}`, `--napi_build_version=${NAPI_VERSION}`, '--loglevel=error', '--jobs=max'
  ], { cwd: directory, env: { ...env, npm_config_python: python } })
}
