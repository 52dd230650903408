import type tf from '@tensorflow/tfjs'
import { elementCount, type Graph, type Operation, type TensorValue, type Variable } from '../../tensorflow/index.ts'

/** A weight of a `tf.layers` model and the graph's variable that stands for it. */
export interface ModelVariable {
  readonly weight: tf.LayerVariable
  readonly variable: Variable
}

/** The variables of one model in one graph: one for each weight, however often its layer is used. */
export class ModelVariables {
  readonly all: readonly ModelVariable[]
  readonly #graph: Graph
  readonly #byWeight = new Map<number, Variable>()
  readonly #kept = new Map<string, Variable>()
  readonly #readAfter: Operation | undefined

  /**
   * @param prefix put before each variable's name, with a slash
   * @param readAfter what each run does before it reads any of them
   */
  constructor (graph: Graph, model: tf.LayersModel, { prefix = '', readAfter }: { prefix?: string, readAfter?: Operation | undefined } = {}) {
    this.#graph = graph
    this.#readAfter = readAfter
    this.all = model.weights.map(weight => {
      const name = graph.uniqueName(`${prefix === '' ? '' : `${prefix}/`}${weight.originalName}`.replace(/[^\w./-]/g, '_'))
      const variable = graph.variable(name, weightType(weight), weight.shape as number[], readAfter)
      this.#byWeight.set(weight.id, variable)
      return { weight, variable }
    })
  }

  /** @throws Error if the weight is of another model */
  of (weight: tf.LayerVariable): Variable {
    const variable = this.#byWeight.get(weight.id)
    if (variable === undefined) throw new Error(`Weight ${weight.name} is not one of the model's. This is a bug.`)
    return variable
  }

  /** What layers take from one batch to the next, 0 at first. */
  get kept (): readonly Variable[] {
    return [...this.#kept.values()]
  }

  /** A variable beside the weights, float32: the same for the same name. */
  keep (name: string, shape: readonly number[]): Variable {
    const variable = this.#kept.get(name) ?? this.#graph.variable(this.#graph.uniqueName(name), 'float32', shape, this.#readAfter)
    this.#kept.set(name, variable)
    return variable
  }

  /** What the gradients reach: weights of layers whose `trainable` is true, batch-norm averages left out. */
  trainable (model: tf.LayersModel): Variable[] {
    return model.trainableWeights.map(weight => this.of(weight))
  }

  /** The weights' present values in `tf.layers`: what its initializers, or `setWeights`, gave them. */
  async initialValues (): Promise<[Variable, TensorValue][]> {
    const weights = await Promise.all(this.all.map(async ({ weight, variable }) => {
      const data = await weight.read().data() as Float32Array | Int32Array
      return [variable, { dtype: weightType(weight), shape: variable.shape, data }] as [Variable, TensorValue]
    }))
    return [...weights, ...this.keptAtFirst()]
  }

  /** Zeros for what layers keep between batches. */
  keptAtFirst (): [Variable, TensorValue][] {
    return this.kept.map(variable => [variable, { dtype: 'float32', shape: variable.shape, data: new Float32Array(elementCount(variable.shape)) }])
  }
}

function weightType (weight: tf.LayerVariable): 'float32' | 'int32' {
  if (weight.dtype === 'float32' || weight.dtype === 'int32') return weight.dtype
  throw new Error(`Weight ${weight.name} is of type ${weight.dtype}. This is a bug.`)
}
