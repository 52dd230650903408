import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The release of TensorFlow that this code was written and tested against; the set-up fetches the same. */
export const TENSORFLOW_VERSION = '2.21.0'

/** A place where libtensorflow may be, in the order they are tried. */
export interface Candidate {
  /** Path of the library file. */
  path: string
  /** Where the path comes from, for messages. */
  source: string
  /** Folder of CUDA's libraries to be opened first; set for the GPU build. */
  cudaDirectory?: string
}

type Environment = Record<string, string | undefined>

const EXTENSION = process.platform === 'darwin' ? '.2.dylib' : '.so.2'

/** `$XDG_CACHE_HOME/tensorport`, `~/Library/Caches/tensorport` on macOS, else `~/.cache/tensorport`. */
export function cacheDirectory (env: Environment): string {
  const { XDG_CACHE_HOME: xdg, HOME: home = homedir() } = env
  if (xdg !== undefined && xdg !== '') return join(xdg, 'tensorport')
  return process.platform === 'darwin' ? join(home, 'Library', 'Caches', 'tensorport') : join(home, '.cache', 'tensorport')
}

/** Every place that libtensorflow is looked for, best first. Nothing is opened. */
export function libraryCandidates (env: Environment): Candidate[] {
  const { LIBTENSORFLOW: given, TENSORFLOW_VARIANT: variant } = env
  if (given !== undefined && given !== '') return [{ path: given, source: 'LIBTENSORFLOW' }]
  const variants = variant === 'cpu' || variant === 'gpu' ? [variant] : ['gpu', 'cpu']
  return [...variants.map(name => cached(env, name)), ...tfjsDeps()]
}

function cached (env: Environment, variant: string): Candidate {
  const directory = join(cacheDirectory(env), `tensorflow-${TENSORFLOW_VERSION}-${variant}-${process.platform}-${process.arch}`)
  const candidate: Candidate = { path: join(directory, 'lib', `libtensorflow_cc${EXTENSION}`), source: `the set-up's cache (${variant})` }
  return variant === 'gpu' ? { ...candidate, cudaDirectory: join(directory, 'nvidia') } : candidate
}

function tfjsDeps (): Candidate[] {
  const libraries = fileURLToPath(new URL('../../node_modules/@tensorflow/tfjs-node-gpu/deps/lib/', import.meta.url))
  return ['libtensorflow_cc', 'libtensorflow'].map(name => ({ path: join(libraries, name + EXTENSION), source: 'tfjs-node-gpu' }))
}

/** The set-up's folders count only with their `complete.json`, which is written last. */
export function isPresent (candidate: Candidate): boolean {
  if (!existsSync(candidate.path)) return false
  return !candidate.source.startsWith('the set-up') || existsSync(join(candidate.path, '..', '..', 'complete.json'))
}

/** Every shared library under a folder, by path; [] if the folder is not there. */
export function sharedLibraries (directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.so(\.\d+)*$/.test(name)).sort().map(name => join(directory, name))
}
