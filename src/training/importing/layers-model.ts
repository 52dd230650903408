import type tf from '@tensorflow/tfjs'
import { BadModelFileError, CannotImportError } from '../../errors.ts'
import { tf as tfjs } from '../tf.ts'
import { buildModel } from './build-model.ts'
import { isObject, type JsonObject } from './json.ts'
import { readWeightShards } from './weight-shards.ts'

/**
 * A layers model of TensorFlow.js, as `model.save` and its converter write it. Quantized weights become floats again.
 *
 * @param path of its `model.json`; the shards lie beside it
 * @throws BadModelFileError, CannotImportError as `buildModel` and `readWeightShards`, or if weights and layers do not fit
 */
export async function readLayersModel (path: string, json: JsonObject): Promise<tf.LayersModel> {
  const { weightData, weightSpecs } = await readWeightShards(path, json['weightsManifest'])
  const model = await buildModel(path, topologyOf(path, json), weightData.byteLength)
  const weights = tfjs.io.decodeWeights(weightData, weightSpecs.filter(({ group }) => group !== 'optimizer'))
  try {
    model.loadWeights(weights)
    return model
  } catch (error) {
    throw new BadModelFileError(path, `its weights do not fit its layers: ${(error as Error).message}`)
  } finally {
    tfjs.dispose(weights)
  }
}

/** The converter wraps what Keras says of the model. */
function topologyOf (path: string, { modelTopology }: JsonObject): JsonObject {
  const topology = isObject(modelTopology) ? modelTopology['model_config'] ?? modelTopology : undefined
  if (!isObject(topology)) throw new BadModelFileError(path, 'its modelTopology is not an object')
  const version = isObject(modelTopology) ? modelTopology['keras_version'] : undefined
  if (typeof version === 'string' && version.startsWith('3.')) throw new CannotImportError(path, `it was converted from Keras ${version}; import the .keras file itself`)
  return topology
}
