import type tf from '@tensorflow/tfjs'
import { BadOptionError } from '../errors.ts'
import { CIFAR10_LABELS, CIFAR10_ORIGIN, CIFAR10_SIDE, loadCifar10 } from '../training/datasets/cifar10.ts'
import { gatherRows, rowRange, tensorDataset } from '../training/datasets/dataset.ts'
import { holdOutRows } from '../training/datasets/hold-out.ts'
import type { ExportedVersion } from '../training/export.ts'
import type { Optimizer } from '../training/optimizers.ts'
import type { RecipeRun, RecipeTraining } from '../training/recipe-run.ts'

/** Share of the images to learn from that choose the best epoch instead. */
const VALIDATION_SHARE = 0.1

interface CifarTraining extends Pick<RecipeTraining, 'callbacks' | 'augment'> {
  readonly buildModel: () => tf.LayersModel
  /** @param steps that all epochs have together, for a schedule */
  readonly optimizer: (steps: number) => Optimizer
}

/** CIFAR-10 → model → train → evaluate → export. */
export async function trainOnCifar10 (run: RecipeRun, { buildModel, optimizer, ...training }: CifarTraining): Promise<ExportedVersion> {
  if (run.data === undefined) throw new BadOptionError('Say where CIFAR-10 is: --data DIR')
  const { train, test } = await loadCifar10(run.data)
  const { kept, heldOut } = holdOutRows(train.labels.shape[0]!, VALIDATION_SHARE, run.settings.seed)
  const trained = await run.train({
    ...training,
    optimizer: optimizer(run.settings.epochs * Math.ceil(kept.length / run.settings.batchSize)),
    model: run.build(buildModel),
    loss: 'sparseCategoricalCrossentropy',
    inputTypes: { pixels: 'uint8' },
    data: tensorDataset(gatherRows(train.images, kept), gatherRows(train.labels, kept)),
    validation: tensorDataset(gatherRows(train.images, heldOut), gatherRows(train.labels, heldOut)),
    heldOut: tensorDataset(test.images, test.labels)
  })
  return await run.export({
    ...trained,
    manifest: {
      task: 'image-classification',
      labels: [...CIFAR10_LABELS],
      image: { width: CIFAR10_SIDE, height: CIFAR10_SIDE, channels: 3, fit: 'cover', kernel: 'linear', scaling: { where: 'graph' } }
    },
    golden: [{ inputs: { pixels: gatherRows(test.images, rowRange(0, 2)) } }],
    origin: CIFAR10_ORIGIN
  })
}
