import type tf from '@tensorflow/tfjs'
import type { TensorValue } from '../../tensorflow/index.ts'
import { built, freeShape, type InputTypes } from '../model-inputs.ts'
import { buildPredictor, type Predictor } from '../predictor.ts'

/** What is known of a model before it is served. −1 for a free dimension. */
export interface ModelShape {
  readonly inputs: Readonly<Record<string, readonly number[]>>
  readonly outputs: Readonly<Record<string, readonly number[]>>
  /** The model scales pixels itself. */
  readonly rescales: boolean
  /** An input may be fed with another type than the model's own. */
  readonly hasFreeTypes: boolean
  /** Numbers from 0 to below this are tokens to the model; undefined where it knows no tokens. */
  readonly tokens?: number
}

/** A model by others that can become a version. */
export interface ImportedModel {
  readonly shape: ModelShape
  /** Numbers it has learned. */
  readonly weights: number
  /** @param inputTypes only where `hasFreeTypes` */
  toPredictor (inputTypes: InputTypes): Promise<Predictor>
}

export function fromLayers (given: tf.LayersModel): ImportedModel {
  const model = built(given)
  const layers = layersOf(model)
  const tokens = layers.filter(layer => layer.getClassName() === 'Embedding').map(layer => layer.getConfig()['inputDim'] as number)
  return {
    shape: {
      inputs: shapes(model.inputNames, model.inputs),
      outputs: shapes(model.outputNames, model.outputs),
      rescales: layers.find(layer => layer.getClassName() !== 'InputLayer')?.getClassName() === 'Rescaling',
      hasFreeTypes: true,
      ...(tokens.length > 0 && { tokens: Math.min(...tokens) })
    },
    weights: model.countParams(),
    toPredictor: async inputTypes => await buildPredictor(model, await valuesOf(model), inputTypes)
  }
}

/** Layers of nested models in place of these. */
export function layersOf (model: tf.LayersModel): tf.layers.Layer[] {
  return model.layers.flatMap(layer => 'layers' in layer ? layersOf(layer as tf.LayersModel) : [layer])
}

function shapes (names: readonly string[], tensors: readonly tf.SymbolicTensor[]): Record<string, number[]> {
  return Object.fromEntries(names.map((name, index) => [name, freeShape(tensors[index]!.shape)]))
}

export async function valuesOf ({ weights }: tf.LayersModel): Promise<[tf.LayerVariable, TensorValue][]> {
  return await Promise.all(weights.map(async weight => {
    const data = await weight.read().data() as Float32Array | Int32Array
    return [weight, { dtype: data instanceof Float32Array ? 'float32' : 'int32', shape: weight.shape as number[], data }] as [tf.LayerVariable, TensorValue]
  }))
}
