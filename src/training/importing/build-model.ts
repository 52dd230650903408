import type tf from '@tensorflow/tfjs'
import { BadModelFileError, CannotImportError } from '../../errors.ts'
import { tf as tfjs } from '../tf.ts'
import { checkConnections } from './connections.ts'
import type { JsonObject } from './json.ts'
import { withinWeightBudget } from './weight-budget.ts'

/**
 * Makes a `tf.layers` model of its description. Its weights are yet to be set.
 *
 * @param path where the description is from, for errors
 * @param topology `{ class_name, config }`
 * @param elements how many numbers the file holds: a model with more weights is refused before they are made
 * @throws CannotImportError if `tf.layers` has no such layer, or refuses one of its options
 * @throws BadModelFileError if the description contradicts itself
 */
export async function buildModel (path: string, topology: JsonObject, elements: number): Promise<tf.LayersModel> {
  const refuse = (layer: string): Error => new BadModelFileError(path, `from its layer "${layer}" on, it declares more weights than it holds`)
  try {
    checkConnections(path, topology)
    return await withinWeightBudget(elements, refuse, () => tfjs.models.modelFromJSON({ modelTopology: topology } as unknown as tf.io.ModelJSON))
  } catch (error) {
    throw explained(path, error as Error)
  }
}

function explained (path: string, error: Error): Error {
  if ('code' in error) return error
  if (error instanceof RangeError && error.message.includes('call stack')) return new BadModelFileError(path, 'it has models within models deeper than can be read')
  const unknown = /^Unknown layer: ([^.]+)\./.exec(error.message)?.[1]
  if (unknown !== undefined) return new CannotImportError(`${path}: a layer of class ${unknown}`, 'tf.layers has none of that name')
  return new CannotImportError(path, `tf.layers says: ${error.message}`)
}
