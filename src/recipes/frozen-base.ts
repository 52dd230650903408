import type tf from '@tensorflow/tfjs'
import { tensorDataset } from '../training/datasets/dataset.ts'
import type { ExportedVersion } from '../training/export.ts'
import { photoDataset } from '../training/datasets/photos.ts'
import { goldenImage } from '../training/golden-inputs.ts'
import { sparseCategoricalCrossentropy, type Loss } from '../training/losses.ts'
import { adam } from '../training/optimizers.ts'
import type { RecipeRun } from '../training/recipe-run.ts'
import { showImages } from '../training/report/examples.ts'
import { buildTransferPredictor } from '../training/transfer-predictor.ts'
import { withPhotos } from './photos.ts'

/** Photos → features of the frozen base, once → head → train → evaluate → export. @param buildHead from float32 [rows, features] to a probability for each class */
export async function trainOnFrozenBase (run: RecipeRun, buildHead: (features: number, classes: number) => tf.LayersModel, loss: Loss = sparseCategoricalCrossentropy()): Promise<ExportedVersion> {
  return await withPhotos(run, async ({ base, classes, train, heldOut, origin }) => {
    const head = run.build(() => buildHead(base.featureCount, classes.length))
    const trained = await run.train({
      model: head,
      loss,
      optimizer: adam({ learningRate: run.settings.learningRate }),
      data: tensorDataset(train.features, train.labels),
      heldOut: tensorDataset(heldOut.features, heldOut.labels),
      show: showImages(photoDataset(heldOut.files, base.contract)),
      buildPredictor: async values => await buildTransferPredictor(base, head, values)
    })
    return await run.export({
      ...trained,
      manifest: { task: 'image-classification', labels: [...classes], image: base.contract },
      golden: [goldenImage('pixels', base.contract)],
      origin
    })
  })
}
