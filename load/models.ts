import { cp, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { floats, Graph, loadLibrary, Session, writeSavedModel, type Output, type TensorValue } from '../src/tensorflow/index.ts'
import { readManifest } from '../src/registry/read-manifest.ts'
import type { Manifest } from '../src/registry/manifest.ts'
import { seededRandom } from '../src/training/random.ts'
import { ROOT } from './places.ts'
import { SkipError } from './scenario.ts'

export interface ModelCopy {
  /** What the server gets as MODELS_DIR; holds this model alone. */
  modelsDirectory: string
  /** Of the model's only version, 1. */
  versionDirectory: string
  manifest: Manifest
}

/** Floats of a row of the MLP, as many as a digit of MNIST has pixels. */
export const MLP_INPUTS = 784
const MLP_HIDDEN = 256
const MLP_CLASSES = 10

/**
 * Copies the newest version of one of the clone's models, as version 1, into a folder of its own.
 *
 * @throws SkipError if the clone has not got it
 */
export async function copyModel (name: string, scratch: string): Promise<ModelCopy> {
  const source = join(ROOT, 'models', name)
  const versions = (await readdir(source).catch(() => [])).filter(entry => /^\d+$/.test(entry)).sort((left, right) => Number(left) - Number(right))
  const newest = versions.at(-1)
  if (newest === undefined) throw new SkipError(`models/${name} is not here; \`npm run setup\` makes it`)
  const { modelsDirectory, versionDirectory } = await makeFolders(scratch, name)
  await cp(join(source, newest), versionDirectory, { recursive: true })
  const manifest = (await readManifest(versionDirectory))?.manifest
  if (manifest === undefined) throw new Error(`Expected a manifest in ${join(source, newest)}`)
  return { modelsDirectory, versionDirectory, manifest }
}

/** Writes version 1 of the model `mlp`: 784 floats → 256 → 256 → 10 probabilities, its weights random but always the same. */
export async function makeMlp (scratch: string): Promise<ModelCopy> {
  const folders = await makeFolders(scratch, 'mlp')
  await writeMlp(folders.versionDirectory, 1)
  return { ...folders, manifest: { format: 1, task: 'tensor', signature: 'serving_default' } }
}

async function makeFolders (scratch: string, name: string): Promise<Pick<ModelCopy, 'modelsDirectory' | 'versionDirectory'>> {
  const modelsDirectory = join(scratch, 'models')
  await mkdir(join(modelsDirectory, name), { recursive: true })
  return { modelsDirectory, versionDirectory: join(modelsDirectory, name, '1') }
}

/** @param seed other weights for another number */
export async function writeMlp (directory: string, seed: number): Promise<void> {
  loadLibrary()
  const graph = new Graph()
  const session = new Session(graph)
  const random = seededRandom(seed)
  const variables: ReturnType<Graph['variable']>[] = []
  const weights = async (name: string, shape: [number, number]): Promise<Output> => {
    const variable = graph.variable(name, 'float32', shape)
    variables.push(variable)
    const value = floats(shape, Float32Array.from({ length: shape[0] * shape[1] }, () => (random() - 0.5) * 4 / Math.sqrt(shape[0])))
    await session.run({ targets: [variable.assign(graph.constant(value))] })
    return variable.read()
  }
  const pixels = graph.placeholder('float32', [-1, MLP_INPUTS], 'pixels')
  const first = graph.apply('Relu', [graph.apply('MatMul', [pixels, await weights('first', [MLP_INPUTS, MLP_HIDDEN])])])
  const second = graph.apply('Relu', [graph.apply('MatMul', [first, await weights('second', [MLP_HIDDEN, MLP_HIDDEN])])])
  const scores = graph.apply('Softmax', [graph.apply('MatMul', [second, await weights('third', [MLP_HIDDEN, MLP_CLASSES])])])
  await writeSavedModel(directory, { graph, session, variables, signatures: { serving_default: { inputs: { pixels }, outputs: { scores } } } })
  await session.close()
  graph.dispose()
}

/** Rows for the MLP: floats in 0…1 with few digits, as pixels have. */
export function mlpRows (rows: number, seed = 1): TensorValue {
  const random = seededRandom(seed)
  return floats([rows, MLP_INPUTS], Float32Array.from({ length: rows * MLP_INPUTS }, () => Math.round(random() * 255) / 255))
}
