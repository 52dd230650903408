import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BadOptionError } from '../errors.ts'
import { parseManifest, type ImageContract, type Manifest } from '../registry/manifest.ts'
import { loadSavedModel, type LoadedSavedModel, type Signature, type TensorValue } from '../tensorflow/index.ts'
import { existingVersions } from './export.ts'

/** A served image model whose features are learned from. Owned by its maker: `dispose` it. */
export interface ImageBase {
  readonly model: LoadedSavedModel
  /** As `models/imagenet/1`. */
  readonly directory: string
  readonly contract: ImageContract
  readonly manifest: Manifest
  /** Numbers that it makes of a photo. */
  readonly featureCount: number
  /** Graph tensors of its signature `features`. */
  readonly inputTensor: string
  readonly outputTensor: string
  /** @param pixels uint8 [N, H, W, C] as the contract says @returns float32 [N, featureCount] */
  features (pixels: TensorValue): Promise<TensorValue>
}

/** Of the signature from pixels to features. */
export const FEATURES_SIGNATURE = 'features'

/**
 * Opens the newest version of an image model.
 *
 * @param modelsDirs models folders in which the model is looked for, in this order
 * @throws BadOptionError if it is in none of them, or has no features to give
 * @throws BadSavedModelError, BadManifestError if it is broken
 */
export async function openImageBase (modelsDirs: readonly string[], name: string): Promise<ImageBase> {
  return await openBaseDirectory(await findNewest(modelsDirs, name))
}

/** @param directory of a version @throws as `openImageBase` */
export async function openBaseDirectory (directory: string): Promise<ImageBase> {
  const path = join(directory, 'model.json')
  const manifest = parseManifest(path, await readFile(path, 'utf8').catch((error: Error) => { throw new BadOptionError(`The base ${directory} has no manifest: ${error.message}`) }))
  if (manifest.image?.scaling.where !== 'graph') throw new BadOptionError(`The base ${directory} is not an image model that takes bytes`)
  const model = await loadSavedModel(directory)
  const signature = model.signatures[FEATURES_SIGNATURE]
  const tensors = signature === undefined ? undefined : onlyTensors(signature)
  if (tensors === undefined) {
    await model.dispose()
    throw new BadOptionError(`The base ${directory} has no signature "${FEATURES_SIGNATURE}" from pixels to a row of numbers`)
  }
  return { model, directory, manifest, contract: manifest.image, ...tensors, features: async pixels => (await model.run(FEATURES_SIGNATURE, { [tensors.input]: pixels }))[tensors.output]! }
}

async function findNewest (modelsDirs: readonly string[], name: string): Promise<string> {
  for (const modelsDir of modelsDirs) {
    const newest = (await existingVersions(modelsDir, name)).at(-1)
    if (newest !== undefined) return newest.directory
  }
  throw new BadOptionError(`There is no model "${name}" to build on in ${modelsDirs.join(' or ')}: \`npm run setup\` makes it`)
}

interface OnlyTensors { input: string, output: string, inputTensor: string, outputTensor: string, featureCount: number }

function onlyTensors ({ inputs, outputs }: Signature): OnlyTensors | undefined {
  const [[input, inputInfo] = [], ...otherInputs] = Object.entries(inputs)
  const [[output, outputInfo] = [], ...otherOutputs] = Object.entries(outputs)
  if (input === undefined || output === undefined || inputInfo === undefined || outputInfo === undefined) return undefined
  const featureCount = outputInfo.shape?.length === 2 ? outputInfo.shape[1]! : -1
  if (otherInputs.length > 0 || otherOutputs.length > 0 || featureCount < 1) return undefined
  return { input, output, inputTensor: inputInfo.tensorName, outputTensor: outputInfo.tensorName, featureCount }
}
