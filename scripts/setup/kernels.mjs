import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { compilerNames, findProgram, run } from './command.mjs'
import { cacheDirectory } from './platform.mjs'
import { SetupError } from './setup-error.mjs'

/**
 * @typedef {import('./set-up.mjs').Step} Step
 * @typedef {import('./set-up.mjs').Context} Context
 *
 * @typedef {object} Builds builds.json: how to compile the sources beside it
 * @property {string[]} flags for all of them
 * @property {string[]} sources
 * @property {string[]} variantSources compiled once for each variant
 * @property {Record<string, Variant[]>} variants sets of instructions, by architecture
 *
 * @typedef {{ name: string, lanes: number, tileRows: number, flags: string[] }} Variant
 */

const LIBRARY = 'libtensorport_kernels.so'
/** In place of the library where it could not be built, so that the next set-up does not try again. */
const FAILURE = 'failed.txt'

/**
 * tensorport's own operations for TensorFlow, which resize photos and go through LSTMs faster than TensorFlow's. All works without too, so where they can't be built the set-up says so and goes on.
 *
 * @type {Step}
 */
export const kernels = {
  name: 'kernels',
  isDone: context => {
    const directory = kernelsDirectory(context)
    const reason = whyNot(context, directory)
    if (reason !== undefined) context.progress.note(`kernels: not built, ${reason}. All works without; photos and LSTMs take longer.`)
    return reason !== undefined || existsSync(join(directory, LIBRARY))
  },
  run: async (context, progress) => {
    const directory = kernelsDirectory(context)
    mkdirSync(dirname(directory), { recursive: true })
    const building = mkdtempSync(`${directory}.`)
    try {
      progress.phase('compiling')
      await compile(context, building)
      chmodSync(building, 0o755) // not its owner's alone: in the image another user serves
      moveTo(directory, building)
    } finally {
      rmSync(building, { recursive: true, force: true })
    }
  }
}

/** The same as in src/tensorflow/custom-operations.ts, which can't be imported before it is built. @param {Context} context */
function kernelsDirectory ({ root, env, platform, arch }) {
  const sources = sourcesDirectory(root)
  const hash = createHash('sha256')
  for (const name of readdirSync(sources).sort()) hash.update(`${name}\0`).update(readFileSync(join(sources, name)))
  return join(cacheDirectory(env), `kernels-${platform}-${arch}-${hash.digest('hex').slice(0, 16)}`)
}

/** @param {string} root */
function sourcesDirectory (root) {
  return join(root, 'src', 'tensorflow', 'kernels')
}

/** @param {Context} context @returns {Builds} */
function readBuilds ({ root }) {
  return JSON.parse(readFileSync(join(sourcesDirectory(root), 'builds.json'), 'utf8'))
}

/** @param {Context} context @param {string} directory @returns {string | undefined} the reason why they can't be built here */
function whyNot (context, directory) {
  const failure = join(directory, FAILURE)
  if (readBuilds(context).variants[context.arch] === undefined) return `they are not written for ${context.arch}`
  if (existsSync(failure)) return `the compiler refused them (${failure} says why; remove it to try again)`
  return compilerOf(context) === undefined ? 'there is no C++ compiler' : undefined
}

/** @param {Context} context */
function compilerOf ({ env }) {
  return compilerNames(env).map(name => findProgram(name, env)).find(path => path !== undefined)
}

/** @param {Context} context @param {string} building */
async function compile (context, building) {
  const { root, env, arch, platform } = context
  const { flags, sources, variantSources, variants } = readBuilds(context)
  const compiler = /** @type {string} */ (compilerOf(context))
  const directory = sourcesDirectory(root)
  const objects = [
    ...sources.map(source => ({ source, object: `${source}.o`, own: /** @type {string[]} */ ([]) })),
    ...(variants[arch] ?? []).flatMap(variant => variantSources.map(source => ({ source, object: `${source}.${variant.name}.o`, own: flagsOf(variant) })))
  ]
  // TensorFlow's functions are in the library that is open by then.
  const shared = platform === 'darwin' ? ['-dynamiclib', '-undefined', 'dynamic_lookup'] : ['-shared']
  try {
    await Promise.all(objects.map(({ source, object, own }) => run(compiler, [...flags, ...own, '-c', join(directory, source), '-o', join(building, object)], { env })))
    await run(compiler, [...flags, ...shared, ...objects.map(({ object }) => join(building, object)), '-o', join(building, LIBRARY)], { env })
    for (const { object } of objects) rmSync(join(building, object))
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    context.progress.note(`kernels: ${error.message}\nAll works without; photos and LSTMs take longer.`)
    writeFileSync(join(building, FAILURE), error.message)
  }
}

/** @param {Variant} variant */
function flagsOf ({ name, lanes, tileRows, flags }) {
  return [...flags, `-DVARIANT=${name}`, `-DLANES=${lanes}`, `-DTILE_ROWS=${tileRows}`]
}

/** Another set-up may have put them there meanwhile. @param {string} directory @param {string} building */
function moveTo (directory, building) {
  try {
    renameSync(building, directory)
  } catch (error) {
    if (!['EEXIST', 'ENOTEMPTY'].includes(/** @type {NodeJS.ErrnoException} */ (error).code ?? '')) throw error
  }
}
