import type tf from '@tensorflow/tfjs'
import { basename, resolve } from 'node:path'
import { BadOptionError, DatasetError } from '../errors.ts'
import type { TensorValue } from '../tensorflow/index.ts'
import { findClassFolders, type LabelledFile } from '../training/datasets/class-folders.ts'
import { tensorDataset } from '../training/datasets/dataset.ts'
import { openImageBase, type ImageBase } from '../training/image-base.ts'
import { extractFeatures, type PhotoFeatures } from '../training/image-features.ts'
import { adam } from '../training/optimizers.ts'
import { goldenImage } from '../training/golden-inputs.ts'
import type { Recipe } from '../training/recipe.ts'
import type { RecipeRun } from '../training/recipe-run.ts'
import { tf as tfjs } from '../training/tf.ts'
import { buildTransferPredictor } from '../training/transfer-predictor.ts'

/** What photos are seen with. */
const BASE = 'imagenet'
/** Where the base is if `--models` names a folder without it. */
const DEFAULT_MODELS_DIR = 'models'

// There are more features than photos, as a rule: both keep the head from learning photos by heart. With them every seed ends within a
// percent of the others, without them within four.
const DROPOUT = 0.2
const L2 = 0.02
const SKIPPED_SHOWN = 20

/** One layer over the base's features: what few photos can teach. */
function buildHead (featureCount: number, classes: number): tf.LayersModel {
  const { layers } = tfjs
  return tfjs.sequential({
    layers: [
      layers.inputLayer({ inputShape: [featureCount], name: 'features' }),
      layers.dropout({ rate: DROPOUT }),
      layers.dense({ units: classes, activation: 'softmax', kernelRegularizer: tfjs.regularizers.l2({ l2: L2 }), name: 'probabilities' })
    ]
  })
}

/** A classifier of your own photos on the frozen ImageNet base: features once, then a head that learns in seconds. */
export const imageFolder: Recipe = {
  name: 'image-folder',
  summary: 'classifier of your own photos, on what the model "imagenet" sees in them',
  data: 'folder of class folders of photos: <class>/…, or train/<class>/… beside val/<class>/…',
  settings: {
    epochs: 40, // an epoch over a thousand photos takes a tenth of a second
    batchSize: 32,
    learningRate: 0.001,
    seed: 1
  },
  modelName: data => data === undefined ? 'image-folder' : nameOf(data),

  async run (run) {
    if (run.data === undefined) throw new BadOptionError('Say where the photos are: --data DIR')
    const folders = await findClassFolders(run.data, run.settings.seed)
    run.say(`${folders.classes.length} classes: ${folders.classes.join(', ')}`)
    const base = await openImageBase([run.modelsDir, DEFAULT_MODELS_DIR], BASE)
    try {
      const train = await see(run, base, folders.train, 'Photos to learn from')
      const validation = await see(run, base, folders.validation, 'Photos held out')
      requireEveryClass(train.labels, folders.classes)
      if (validation.labels.shape[0] === 0) throw new DatasetError('None of the held-out photos can be read')

      const head = run.build(() => buildHead(base.featureCount, folders.classes.length))
      const trained = await run.train({
        model: head,
        loss: 'sparseCategoricalCrossentropy',
        optimizer: adam({ learningRate: run.settings.learningRate }),
        data: tensorDataset(train.features, train.labels),
        heldOut: tensorDataset(validation.features, validation.labels),
        buildPredictor: async values => await buildTransferPredictor(base, head, values)
      })
      return await run.export({
        ...trained,
        manifest: { task: 'image-classification', labels: [...folders.classes], image: base.contract },
        golden: [goldenImage('pixels', base.contract)],
        origin: `Photos of ${basename(resolve(run.data))}; base: ${base.manifest.training?.origin ?? base.directory}`
      })
    } finally {
      await base.model.dispose()
    }
  }
}

/** The folder's name, in the letters that a model's may have. */
function nameOf (data: string): string {
  const name = basename(resolve(data)).replace(/[^\w.-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '').slice(0, 128)
  return name === '' ? 'image-folder' : name
}

/** Photos that can't be read are left out, and named. */
async function see (run: RecipeRun, base: ImageBase, files: readonly LabelledFile[], title: string): Promise<PhotoFeatures> {
  run.progress.start()
  const photos = await extractFeatures(base, files, done => {
    run.stopIfAsked()
    run.progress.show(title, done, files.length)
  })
  run.progress.finish(title, photos.labels.shape[0]!)
  const { skipped } = photos
  if (skipped.length > 0) run.say(`Left out ${skipped.length} of ${files.length}:`)
  for (const { path, reason } of skipped.slice(0, SKIPPED_SHOWN)) run.say(`  ${path}: ${reason}`)
  if (skipped.length > SKIPPED_SHOWN) run.say(`  and ${skipped.length - SKIPPED_SHOWN} more`)
  return photos
}

function requireEveryClass (labels: TensorValue, classes: readonly string[]): void {
  const seen = new Set(labels.data as Int32Array)
  const missing = classes.filter((_, label) => !seen.has(label))
  if (missing.length > 0) throw new DatasetError(`No photo to learn from can be read in: ${missing.join(', ')}`)
}
