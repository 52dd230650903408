import type tf from '@tensorflow/tfjs'
import type { Graph, Output, ValueDType } from '../tensorflow/index.ts'

/** Types that inputs are fed with, by input name, where it is not the one that `tf.layers` declares: `{ pixels: 'uint8' }`. */
export type InputTypes = Readonly<Record<string, ValueDType>>

/** Makes sure that a model can be walked: a sequential one is only put together when it is built. */
export function built (model: tf.LayersModel): tf.LayersModel {
  if (!model.built) model.build(model.inputs[0]!.shape)
  return model
}

/** Adds a placeholder for each of a model's inputs, under its name. @param inputTypes must name inputs of the model only */
export function addInputs (graph: Graph, model: tf.LayersModel, inputTypes: InputTypes = {}): Output[] {
  const unknown = Object.keys(inputTypes).find(name => !model.inputNames.includes(name))
  if (unknown !== undefined) throw new RangeError(`Expected inputs among ${model.inputNames.join(', ')} but received "${unknown}"`)
  return model.inputs.map((tensor, index) => {
    const name = model.inputNames[index]!
    const dtype = inputTypes[name] ?? tensor.dtype
    return graph.placeholder(dtype, freeShape(tensor.shape), name)
  })
}

/** A shape of `tf.layers` as TensorFlow has it: −1 for a free dimension. */
export function freeShape (shape: readonly (number | null)[]): number[] {
  return shape.map(side => side ?? -1)
}
