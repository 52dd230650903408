import type tf from '@tensorflow/tfjs'
import { CannotImportError } from '../../errors.ts'
import { formatName, openModelFile, type ModelFile } from './formats.ts'
import { readKerasArchive } from './keras/keras-archive.ts'
import { readKerasH5 } from './keras/keras-h5.ts'
import { readLayersModel } from './layers-model.ts'

/**
 * A model by others as a `tf.layers` model with its weights: a TensorFlow.js layers model, or one of Keras.
 *
 * @param path the file, or the folder of a `model.json`
 * @throws BadOptionError if there is no such file
 * @throws BadModelFileError if it is broken
 * @throws CannotImportError if it is of another format, or `tf.layers` has no counterpart for a layer of it
 */
export async function importModel (path: string): Promise<tf.LayersModel> {
  return await readModel(await openModelFile(path))
}

export async function readModel (file: ModelFile): Promise<tf.LayersModel> {
  switch (file.kind) {
    case 'layers-model': return await readLayersModel(file.path, file.json)
    case 'keras-h5': return await readKerasH5(file.path)
    case 'keras-archive': return await readKerasArchive(file.path)
    case 'graph-model':
    case 'safetensors':
    case 'pytorch': throw new CannotImportError(file.path, `as a ${formatName(file)} it does not describe its layers`)
  }
}
