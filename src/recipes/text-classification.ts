import type tf from '@tensorflow/tfjs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TextContract } from '../registry/manifest.ts'
import { rowRange } from '../training/datasets/dataset.ts'
import type { LabelledTexts } from '../training/datasets/labelled-texts.ts'
import { oversample } from '../training/datasets/oversample.ts'
import { textDataset, writeVocabulary } from '../training/datasets/text-dataset.ts'
import type { ExportedVersion } from '../training/export.ts'
import type { RecipeRun, RecipeTraining } from '../training/recipe-run.ts'
import { showTexts } from '../training/report/examples.ts'

/** Texts in two parts or three, and the model that is to tell them apart. */
export interface TextClassification extends Pick<RecipeTraining, 'optimizer' | 'callbacks' | 'metrics' | 'classWeights'> {
  readonly train: LabelledTexts
  /** Whether texts of rarer classes are learned from as often as those of the largest. The vocabulary is that of each text once. */
  readonly oversamples?: boolean
  /** Chooses the best epoch, where something does; default the held-out texts. */
  readonly validation?: LabelledTexts
  readonly heldOut: LabelledTexts
  /** Class names by number. */
  readonly labels: readonly string[]
  readonly contract: TextContract
  readonly vocabularySize: number
  /** From int32 [rows, length] to a probability for each class, or to that of class 1. */
  readonly buildModel: () => tf.LayersModel
  readonly origin: string
}

/** Texts → vocabulary → token numbers → model → train → evaluate → export. */
export async function trainOnTexts (run: RecipeRun, { train, oversamples = false, heldOut, validation = heldOut, labels, contract, vocabularySize, buildModel, origin, ...training }: TextClassification): Promise<ExportedVersion> {
  const folder = await mkdtemp(join(tmpdir(), 'tensorport-texts-'))
  try {
    const vocabulary = await writeVocabulary(train, contract, folder, { maxTokens: vocabularySize, seed: run.settings.seed })
    const [data, validationData, heldOutData] = [await textDataset(train, contract, folder), await textDataset(validation, contract, folder), await textDataset(heldOut, contract, folder)]
    const model = run.build(buildModel)
    const trained = await run.train({
      ...training,
      model,
      loss: model.outputs[0]!.shape[1] === 1 ? 'binaryCrossentropy' : 'sparseCategoricalCrossentropy',
      data: oversamples ? oversample(data, train.labels, run.settings.seed) : data,
      validation: validationData,
      heldOut: heldOutData,
      show: showTexts(heldOut)
    })
    const { inputs } = await heldOutData.batch(rowRange(0, 2))
    return await run.export({
      ...trained,
      manifest: { task: 'text-classification', labels: [...labels], text: contract },
      golden: [{ inputs: { [contract.inputs.ids]: inputs[0]! } }],
      origin,
      assets: { 'vocabulary.txt': vocabulary }
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
