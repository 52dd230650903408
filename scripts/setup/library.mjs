import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { installBundle, isComplete } from './bundle.mjs'
import { cacheDirectory, chooseVariant } from './platform.mjs'
import { SetupError } from './setup-error.mjs'
import { libraryBundle, TENSORFLOW_VERSION } from './wheels.mjs'

/**
 * @typedef {import('./set-up.mjs').Step} Step
 * @typedef {import('./set-up.mjs').Context} Context
 */

/**
 * libtensorflow in the user's cache, or wherever LIBTENSORFLOW says.
 *
 * @type {Step}
 */
export const library = {
  name: `libtensorflow ${TENSORFLOW_VERSION}`,
  isDone: context => {
    const { LIBTENSORFLOW: given = '' } = context.env
    if (given !== '' && !existsSync(given)) throw new SetupError(`LIBTENSORFLOW is ${given}, which is not there. Correct it, or unset it to have libtensorflow ${TENSORFLOW_VERSION} fetched.`)
    if (given !== '') context.progress.note(`libtensorflow: LIBTENSORFLOW is set to ${given}; none is fetched`)
    return given !== '' || installedVariant(context) !== undefined
  },
  run: async (context, progress) => {
    const bundle = chosenBundle(context)
    await installBundle(bundle, join(cacheDirectory(context.env), bundle.name), { env: context.env, progress })
  }
}

/**
 * Where the libraries and the headers are that belong together.
 *
 * @param {Context} context
 * @returns {{ libraries: string, headers: string } | undefined} undefined if there are none, or no headers
 */
export function libraryFolders (context) {
  const { LIBTENSORFLOW: given = '' } = context.env
  const directory = installedDirectory(context)
  const places = given !== ''
    ? [join(dirname(given), 'include'), join(dirname(given), '..', 'include')].map(headers => ({ libraries: dirname(given), headers }))
    : directory === undefined ? [] : [{ libraries: join(directory, 'lib'), headers: join(directory, 'include') }]
  return places.find(({ headers }) => existsSync(join(headers, 'tensorflow', 'c', 'c_api.h')))
}

/** @param {Context} context */
function installedDirectory (context) {
  const variant = installedVariant(context)
  return variant && join(cacheDirectory(context.env), libraryBundle(variant, context.platform, context.arch)?.name ?? '')
}

/** A GPU build that is there is taken as it is (it runs without a GPU too): asking nvidia-smi again could take seconds. @param {Context} context */
function installedVariant (context) {
  const { env, platform, arch } = context
  const isInstalled = (/** @type {string} */ variant) => {
    const bundle = libraryBundle(variant, platform, arch)
    return bundle !== undefined && isComplete(bundle, join(cacheDirectory(env), bundle.name))
  }
  if (!isVariantGiven(env) && isInstalled('gpu')) return 'gpu'
  const variant = chosenVariant(context)
  return isInstalled(variant) ? variant : undefined
}

/** @param {Context} context @throws {SetupError} if PyPI has no build for this machine */
function chosenBundle (context) {
  const { platform, arch } = context
  const variant = chosenVariant(context)
  const bundle = libraryBundle(variant, platform, arch)
  if (bundle === undefined) throw new SetupError(`There is no ${variant} build of TensorFlow ${TENSORFLOW_VERSION} for ${platform}-${arch} to fetch. Use the Dockerfile on Linux, or set LIBTENSORFLOW to the path of a library that you have.`)
  if (platform === 'linux' && isMusl()) throw new SetupError('libtensorflow is built for glibc, and this Linux uses musl. Use the Dockerfile, or a distribution with glibc.')
  return bundle
}

/** A GPU that TensorFlow has no build for (on arm64, say) does not count unless it was asked for. @param {Context} context */
function chosenVariant ({ env, platform, arch }) {
  const variant = chooseVariant(env)
  return !isVariantGiven(env) && libraryBundle(variant, platform, arch) === undefined ? 'cpu' : variant
}

/** @param {import('./command.mjs').Environment} env */
function isVariantGiven ({ TENSORFLOW_VARIANT: wanted = '' }) {
  return wanted !== ''
}

function isMusl () {
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport())
  return header.glibcVersionRuntime === undefined
}
