import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type tf from '@tensorflow/tfjs'
import { BadOptionError } from '../../errors.ts'
import type { Manifest } from '../../registry/manifest.ts'
import { writeSavedModel } from '../../tensorflow/index.ts'
import { FEATURES_SIGNATURE, openBaseDirectory, type ImageBase } from '../image-base.ts'
import { buildPredictor, closePredictor } from '../predictor.ts'
import { tf as tfjs } from '../tf.ts'
import { formatName, openModelFile } from './formats.ts'
import { readModel } from './import-model.ts'
import { layersOf, valuesOf } from './imported-model.ts'
import type { Pixels } from './purpose.ts'

/** An image model by others, to be learned from: what it sees, without what it made of that. */
export interface ImportedBase {
  readonly base: ImageBase
  /** From `pixels`, [N, height, width, channels] with 0…255, to features [N, k]; to be trained on. */
  readonly layers: tf.LayersModel
}

/** What bytes are multiplied with, and what is added, to be what the model was trained with. */
const SCALING: Readonly<Record<Pixels, { scale: number, offset: number } | undefined>> = {
  bytes: undefined,
  unit: { scale: 1 / 255, offset: 0 },
  signed: { scale: 1 / 127.5, offset: -1 }
}

/**
 * Imports an image model and takes its features: where it ends in a dense layer, what goes into that; a picture of features is averaged.
 *
 * @param path of a `model.json`, `.keras` or `.h5`
 * @param pixels what it takes; default bytes if its first layer is a rescaling one, else 0 to 1
 * @throws BadOptionError if it takes no images of fixed sides, or has no features
 * @throws BadModelFileError, CannotImportError, LoweringError as `importModel`
 */
export async function importBase (path: string, pixels?: Pixels): Promise<ImportedBase> {
  const file = await openModelFile(path)
  const layers = featuresOfBytes(path, await readModel(file), pixels)
  const [, height, width, channels] = layers.inputs[0]!.shape as number[]
  const manifest: Manifest = {
    format: 1,
    task: 'image-classification',
    image: { width: width!, height: height!, channels: channels as 1 | 3, fit: 'cover', kernel: 'linear', scaling: { where: 'graph' } },
    training: { recipe: 'import', settings: {}, seed: 0, metrics: {}, createdAt: new Date().toISOString(), command: '', origin: `${basename(path)}, a ${formatName(file)}` }
  }
  const folder = await mkdtemp(join(tmpdir(), 'tensorport-base-'))
  try {
    const { graph, session, variables, inputs, outputs } = await buildPredictor(layers, await valuesOf(layers), { pixels: 'uint8' })
    await writeSavedModel(folder, { graph, session, variables, signatures: { [FEATURES_SIGNATURE]: { inputs, outputs } }, assets: {} })
    await closePredictor({ graph, session })
    await writeFile(join(folder, 'model.json'), JSON.stringify(manifest))
    return { base: await openBaseDirectory(folder), layers }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function featuresOfBytes (path: string, model: tf.LayersModel, given: Pixels | undefined): tf.LayersModel {
  const [input, ...others] = model.inputs
  const [, height, width, channels] = input!.shape
  if (others.length > 0 || input!.shape.length !== 4 || height == null || width == null || (channels !== 1 && channels !== 3)) {
    throw new BadOptionError(`The base ${path} takes [${model.inputs.map(({ shape }) => shape.map(side => side ?? 'any').join(', ')).join('] and [')}], not images [rows, height, width, 1 or 3] of fixed sides`)
  }
  const { layers } = tfjs
  const first = layersOf(model).find(layer => layer.getClassName() !== 'InputLayer')
  const scaling = SCALING[given ?? (first?.getClassName() === 'Rescaling' ? 'bytes' : 'unit')]
  const bytes = tfjs.input({ shape: [height, width, channels], name: 'pixels' })
  const scaled = scaling === undefined ? bytes : layers.rescaling(scaling).apply(bytes) as tf.SymbolicTensor
  const seen = tfjs.model({ inputs: input!, outputs: lastFeatures(path, model) }).apply(scaled) as tf.SymbolicTensor
  const row = seen.shape.length === 4 ? layers.globalAveragePooling2d({}).apply(seen) as tf.SymbolicTensor : seen
  return tfjs.model({ inputs: bytes, outputs: row })
}

/** Behind which there is nothing but the classes. */
const OF_CLASSES = new Set(['Dense', 'Activation', 'Softmax', 'Dropout'])

function lastFeatures (path: string, model: tf.LayersModel): tf.SymbolicTensor {
  let [tensor] = model.outputs as [tf.SymbolicTensor]
  const isSeen = (): boolean => OF_CLASSES.has(tensor.sourceLayer.getClassName()) && tensor.shape.length === 2
  for (let dense = 0; isSeen() && dense === 0;) {
    if (tensor.sourceLayer.getClassName() === 'Dense') dense++
    tensor = tensor.sourceLayer.inboundNodes[tensor.nodeIndex]!.inputTensors[0]!
  }
  const { shape } = tensor
  if (model.outputs.length > 1 || (shape.length !== 2 && shape.length !== 4) || shape.at(-1) == null) {
    throw new BadOptionError(`The base ${path} gives [${model.outputs.map(({ shape }) => shape.map(side => side ?? 'any').join(', ')).join('] and [')}]: there are no features in front of that, [rows, k] or [rows, height, width, k]`)
  }
  return tensor
}
