import type tf from '@tensorflow/tfjs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildModel } from '../build-model.ts'
import { readJson } from '../json.ts'
import { assignArchive } from './archive-weights.ts'
import { withHdf5 } from './hdf5.ts'
import { checkOptions } from './options.ts'
import { translateTopology } from './topology.ts'
import { extractEntry, readTextEntry } from './zip.ts'

const WEIGHTS = 'model.weights.h5'

/**
 * A model that Keras saved as a `.keras` archive, by Keras 3 or by Keras 2.13 and later.
 *
 * @throws BadModelFileError, CannotImportError as `buildModel`; or if weights and layers do not fit
 * @see keras/src/saving/saving_lib.py
 */
export async function readKerasArchive (path: string): Promise<tf.LayersModel> {
  const metadata = readJson(path, await readTextEntry(path, 'metadata.json'))
  const described = readJson(path, await readTextEntry(path, 'config.json'))
  const topology = translateTopology(path, described, { major: Number.parseInt(String(metadata['keras_version'])) })
  const folder = await mkdtemp(join(tmpdir(), 'tensorport-keras-'))
  try {
    const weights = join(folder, WEIGHTS)
    await extractEntry(path, WEIGHTS, weights)
    const model = await buildModel(path, topology, (await stat(weights)).size)
    checkOptions(path, topology, model)
    await withHdf5(weights, path, root => { assignArchive(path, model, topology, root) })
    return model
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
