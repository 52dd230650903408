import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type tf from '@tensorflow/tfjs'
import { BadOptionError, DatasetError } from '../errors.ts'
import { MODEL_NAME } from '../registry/scan.ts'
import type { TensorValue } from '../tensorflow/index.ts'
import { findClassFolders, type LabelledFile } from '../training/datasets/class-folders.ts'
import { openImageBase, type ImageBase } from '../training/image-base.ts'
import { extractFeatures, type PhotoFeatures } from '../training/image-features.ts'
import { efficientNetLiteLayers } from '../training/imagenet/efficientnet-lite-layers.ts'
import { importBase } from '../training/importing/import-base.ts'
import { PIXELS } from '../training/importing/purpose.ts'
import { oneOf } from '../training/options.ts'
import type { RecipeRun } from '../training/recipe-run.ts'

/** Photos of one side of the split, as the base sees them. */
export interface SeenPhotos extends Omit<PhotoFeatures, 'skipped'> {
  /** Those that could be read, in the order of the rows. */
  readonly files: readonly LabelledFile[]
}

/** What every recipe for your own photos begins with. */
export interface Photos {
  readonly base: ImageBase
  /** The base to be trained on: from `pixels`, 0…255, to features. */
  readonly baseLayers: () => Promise<tf.LayersModel>
  readonly classes: readonly string[]
  readonly train: SeenPhotos
  readonly heldOut: SeenPhotos
  /** For the manifest. */
  readonly origin: string
}

/** Where the base is if `--models` names a folder without it. */
const DEFAULT_MODELS_DIR = 'models'
const SKIPPED_SHOWN = 20

const AS_IT_LOOKS = 'as it looks'

/** What recipes for photos are told besides. */
export const PHOTO_OPTIONS = {
  base: { description: 'what photos are seen with: a model in the models folder, or a Keras .keras or .h5 file or a TensorFlow.js model.json', default: 'imagenet' },
  pixels: { description: `what a base from a file takes: ${PIXELS.join(', ')} (0 to 255, 0 to 1, -1 to 1)`, default: AS_IT_LOOKS }
}

/** What `--data` has to be. */
export const PHOTO_DATA = 'folder of class folders of photos: <class>/…, or train/<class>/… beside val/<class>/…'

/**
 * Shows the run's photos to the frozen ImageNet base, once, and works with what it saw.
 *
 * @throws BadOptionError without `--data`, or without a base
 * @throws DatasetError if a class has no photo that can be read
 */
export async function withPhotos<Result> (run: RecipeRun, work: (photos: Photos) => Promise<Result>): Promise<Result> {
  if (run.data === undefined) throw new BadOptionError('Say where the photos are: --data DIR')
  const folders = await findClassFolders(run.data, run.settings.seed)
  run.say(`${folders.classes.length} classes: ${folders.classes.join(', ')}`)
  const { base, baseLayers } = await openBase(run)
  try {
    const train = await see(run, base, folders.train, 'Photos to learn from')
    const heldOut = await see(run, base, folders.validation, 'Photos held out')
    requireEveryClass(train.labels, folders.classes)
    if (heldOut.files.length === 0) throw new DatasetError('None of the held-out photos can be read')
    return await work({ base, baseLayers, classes: folders.classes, train, heldOut, origin: `Photos of ${basename(resolve(run.data))}; base: ${base.manifest.training?.origin ?? base.directory}` })
  } finally {
    await base.model.dispose()
  }
}

/** A model of the models folder, or a file of one by others. */
async function openBase (run: RecipeRun): Promise<Pick<Photos, 'base' | 'baseLayers'>> {
  const [name, pixels] = [run.option('base'), run.option('pixels')]
  const known = pixels === AS_IT_LOOKS ? undefined : oneOf('pixels', pixels, PIXELS)
  if (MODEL_NAME.test(name) && !existsSync(name)) {
    const base = seeingAll(await openImageBase([run.modelsDir, DEFAULT_MODELS_DIR], name))
    return { base, baseLayers: async () => await efficientNetLiteLayers(base) }
  }
  const { base, layers } = await importBase(name, known)
  run.say(`Base: ${base.featureCount} features of ${base.manifest.training!.origin!}`)
  return { base, baseLayers: async () => layers }
}

/** Nothing is cut off at the edges of a photo, as it is in ImageNet's tests: in people's own photos what counts is there too. */
function seeingAll (base: ImageBase): ImageBase {
  const { cropFraction: _, ...contract } = base.contract
  return { ...base, contract }
}

/** The folder's name, in the letters that a model's may have. */
export function modelNameOf (data: string | undefined, otherwise: string): string {
  if (data === undefined) return otherwise
  const name = basename(resolve(data)).replace(/[^\w.-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '').slice(0, 128)
  return name === '' ? otherwise : name
}

/** Photos that can't be read are left out, and named. */
async function see (run: RecipeRun, base: ImageBase, files: readonly LabelledFile[], title: string): Promise<SeenPhotos> {
  run.progress.start()
  const { skipped, ...photos } = await extractFeatures(base, files, done => {
    run.stopIfAsked()
    run.progress.show(title, done, files.length)
  })
  run.progress.finish(title, photos.labels.shape[0]!)
  if (skipped.length > 0) run.say(`Left out ${skipped.length} of ${files.length}:`)
  for (const { path, reason } of skipped.slice(0, SKIPPED_SHOWN)) run.say(`  ${path}: ${reason}`)
  if (skipped.length > SKIPPED_SHOWN) run.say(`  and ${skipped.length - SKIPPED_SHOWN} more`)
  const unreadable = new Set(skipped.map(({ path }) => path))
  return { ...photos, files: files.filter(({ path }) => !unreadable.has(path)) }
}

function requireEveryClass (labels: TensorValue, classes: readonly string[]): void {
  const seen = new Set(labels.data as Int32Array)
  const missing = classes.filter((_, label) => !seen.has(label))
  if (missing.length > 0) throw new DatasetError(`No photo to learn from can be read in: ${missing.join(', ')}`)
}
