import { basename, resolve } from 'node:path'
import { BadOptionError, DatasetError } from '../errors.ts'
import type { TensorValue } from '../tensorflow/index.ts'
import { findClassFolders, type LabelledFile } from '../training/datasets/class-folders.ts'
import { openImageBase, type ImageBase } from '../training/image-base.ts'
import { extractFeatures, type PhotoFeatures } from '../training/image-features.ts'
import type { RecipeRun } from '../training/recipe-run.ts'

/** Photos of one side of the split, as the base sees them. */
export interface SeenPhotos extends Omit<PhotoFeatures, 'skipped'> {
  /** Those that could be read, in the order of the rows. */
  readonly files: readonly LabelledFile[]
}

/** What every recipe for your own photos begins with. */
export interface Photos {
  readonly base: ImageBase
  readonly classes: readonly string[]
  readonly train: SeenPhotos
  readonly heldOut: SeenPhotos
  /** For the manifest. */
  readonly origin: string
}

/** What photos are seen with. */
const BASE = 'imagenet'
/** Where the base is if `--models` names a folder without it. */
const DEFAULT_MODELS_DIR = 'models'
const SKIPPED_SHOWN = 20

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
  const base = await openImageBase([run.modelsDir, DEFAULT_MODELS_DIR], BASE)
  try {
    const train = await see(run, base, folders.train, 'Photos to learn from')
    const heldOut = await see(run, base, folders.validation, 'Photos held out')
    requireEveryClass(train.labels, folders.classes)
    if (heldOut.files.length === 0) throw new DatasetError('None of the held-out photos can be read')
    return await work({ base, classes: folders.classes, train, heldOut, origin: `Photos of ${basename(resolve(run.data))}; base: ${base.manifest.training?.origin ?? base.directory}` })
  } finally {
    await base.model.dispose()
  }
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
