import type tf from '@tensorflow/tfjs'
import { stat } from 'node:fs/promises'
import { BadModelFileError, CannotImportError } from '../../../errors.ts'
import { buildModel } from '../build-model.ts'
import { readJson } from '../json.ts'
import { assignArrays } from './assign-arrays.ts'
import { withHdf5, type StoredArray, type StoredGroup } from './hdf5.ts'
import { checkOptions } from './options.ts'
import { translateTopology } from './topology.ts'

/**
 * A whole model that Keras saved as one HDF5 file, by `model.save('….h5')`, with any version from 2 on.
 *
 * @throws BadModelFileError, CannotImportError as `buildModel`; or if weights and layers do not fit
 * @see keras/src/legacy/saving/legacy_h5_format.py
 */
export async function readKerasH5 (path: string): Promise<tf.LayersModel> {
  const { size } = await stat(path)
  const description = await withHdf5(path, path, root => {
    const [text] = root.texts('model_config') ?? []
    if (text === undefined) throw new CannotImportError(path, 'it has weights without layers; save the whole model with model.save')
    return { text, version: root.texts('keras_version')?.[0] ?? root.group('model_weights')?.texts('keras_version')?.[0] ?? '2' }
  })
  const topology = translateTopology(path, readJson(path, description.text), { major: Number.parseInt(description.version) })
  const model = await buildModel(path, topology, size)
  checkOptions(path, topology, model)
  await withHdf5(path, path, root => {
    const weights = root.group('model_weights')
    if (weights === undefined) throw new BadModelFileError(path, 'it has no model_weights')
    for (const layer of model.layers) assignArrays(path, layer, arraysOf(path, weights, layer.name))
  })
  return model
}

/** A layer's, in Keras's order, which is that of `tf.layers`: what is learned, then what is not. */
function arraysOf (path: string, weights: StoredGroup, layer: string): StoredArray[] {
  const group = weights.group(layer)
  if (group === undefined) return []
  return listOf(group, 'weight_names').map(name => {
    const array = group.array(name)
    if (array === undefined) throw new BadModelFileError(path, `it names ${layer}/${name}, which is not there`)
    return array
  })
}

/** A long list is stored in parts. */
function listOf (group: StoredGroup, attribute: string): readonly string[] {
  const whole = group.texts(attribute)
  if (whole !== undefined) return whole
  const parts: string[] = []
  for (let part = 0, found = group.texts(`${attribute}0`); found !== undefined; found = group.texts(`${attribute}${++part}`)) parts.push(...found)
  return parts
}
