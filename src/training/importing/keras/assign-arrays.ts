import type tf from '@tensorflow/tfjs'
import { BadModelFileError } from '../../../errors.ts'
import { tf as tfjs } from '../../tf.ts'
import type { StoredArray } from './hdf5.ts'

/** Gives a layer, or a model that is one, all of its weights, in the order of `tf.layers`: what it learns, then what it does not. @throws BadModelFileError if they are others than the layer has */
export function assignArrays (path: string, layer: tf.layers.Layer, arrays: readonly StoredArray[]): void {
  const variables = [...layer.trainableWeights, ...layer.nonTrainableWeights]
  if (variables.length !== arrays.length) throw new BadModelFileError(path, `its layer "${layer.name}" has ${variables.length} weights, and ${arrays.length} are stored`)
  variables.forEach((variable, index) => { assignArray(path, variable, arrays[index]!) })
}

function assignArray (path: string, variable: tf.LayerVariable, array: StoredArray): void {
  if (variable.shape.join() !== array.shape.join()) throw new BadModelFileError(path, `${array.name} is [${array.shape.join(', ')}], and the layer's ${variable.originalName} [${variable.shape.join(', ')}]`)
  const value = tfjs.tensor(array.read(), [...array.shape])
  variable.write(value)
  value.dispose()
}
