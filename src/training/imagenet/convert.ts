import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BadOptionError, BadWeightsError } from '../../errors.ts'
import { parseManifest } from '../../registry/manifest.ts'
import { Graph, Session, writeSavedModel, type TensorValue } from '../../tensorflow/index.ts'
import { existingVersions, exportVersion, type ExportedVersion, type VersionManifest } from '../export.ts'
import { readTorchTensors } from '../torch/torch-file.ts'
import { assignVariables } from '../variable-values.ts'
import { hashFiles } from '../version-files.ts'
import { buildEfficientNetLite, type EfficientNetLite } from './efficientnet-lite.ts'
import { goldenInputs, imagenetManifest } from './manifest.ts'

const MODEL = 'imagenet'

interface ConvertOptions {
  readonly modelsDir: string
  /** Path of `efficientnet-lite0-57934424.pth`. */
  readonly weights: string
  readonly version: number
  /** How the user asked for this; goes into the manifest. */
  readonly command: string
  /** Told what is being done, a line at a time. */
  readonly report: (line: string) => void
}

/**
 * Turns the PyTorch weights into `<modelsDir>/imagenet/<version>`: a SavedModel with the signatures `serving_default` (uint8 pixels →
 * probabilities) and `features` (pixels → what the last layer sees), and its manifest. Does nothing if that version is there and whole.
 *
 * @throws BadOptionError if the weights can't be read, or the version is there with other files than its manifest says
 * @throws BadWeightsError if the file is not EfficientNet-Lite0's
 */
export async function convertImagenet (options: ConvertOptions): Promise<ExportedVersion> {
  const { modelsDir, weights, version, report } = options
  const existing = (await existingVersions(modelsDir, MODEL)).find(candidate => candidate.version === version)
  if (existing !== undefined) return await checkExisting(existing, report)
  const tensors = await readWeights(weights)
  report(`Read ${tensors.size} tensors from ${weights}`)
  const exported = await convert(tensors, options)
  report(`Wrote ${exported.directory}`)
  return exported
}

async function checkExisting (existing: ExportedVersion, report: (line: string) => void): Promise<ExportedVersion> {
  const path = join(existing.directory, 'model.json')
  const text = await readFile(path, 'utf8').catch(() => undefined)
  const files = text === undefined ? undefined : parseManifest(path, text).files
  if (files !== undefined) assertSame(existing.directory, files, await hashFiles(existing.directory))
  report(`${existing.directory} is there already${files === undefined ? '; it has no hashes to check it by' : ' and whole'}`)
  return existing
}

function assertSame (directory: string, expected: Readonly<Record<string, string>>, found: Readonly<Record<string, string>>): void {
  const names = new Set([...Object.keys(expected), ...Object.keys(found)])
  const changed = [...names].filter(name => expected[name] !== found[name])
  if (changed.length > 0) throw new BadOptionError(`${directory} is not as its manifest says: ${changed.join(', ')} changed or missing. Remove the directory and run this again`)
}

async function readWeights (path: string): Promise<Map<string, TensorValue>> {
  const bytes = await readFile(path).catch((error: Error) => { throw new BadOptionError(`The weights can not be read: ${error.message}`) })
  try {
    return readTorchTensors(bytes)
  } catch (error) {
    throw error instanceof BadWeightsError ? new BadWeightsError(`${path}: ${error.message}`) : error
  }
}

async function convert (tensors: Map<string, TensorValue>, { modelsDir, version, command, report }: ConvertOptions): Promise<ExportedVersion> {
  const graph = new Graph()
  const session = new Session(graph)
  try {
    const network = buildEfficientNetLite(graph, tensors)
    await assignVariables(graph, session, [...network.values])
    report(`Built EfficientNet-Lite0 with ${network.values.size} variables`)
    return await exportVersion(modelsDir, MODEL, async directory => await write(directory, graph, session, network, command), { version })
  } finally {
    await session.close()
    graph.dispose()
  }
}

async function write (directory: string, graph: Graph, session: Session, { pixels, probabilities, features, values }: EfficientNetLite, command: string): Promise<VersionManifest> {
  const golden = goldenInputs()
  const outputs: TensorValue[] = []
  for (const input of golden) outputs.push(...await session.run({ feeds: [[pixels, input.pixels]], fetches: [probabilities] }))
  const signatures = {
    serving_default: { inputs: { pixels }, outputs: { probabilities } },
    features: { inputs: { pixels }, outputs: { features } }
  }
  await writeSavedModel(directory, { graph, session, variables: [...values.keys()], signatures })
  return imagenetManifest(golden, outputs, command)
}
