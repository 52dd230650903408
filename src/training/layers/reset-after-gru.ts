import type tf from '@tensorflow/tfjs'
import { tf as tfjs } from '../tf.ts'

export interface ResetAfterGruOptions {
  readonly units: number
  /** Default tanh. */
  readonly activation?: string
  /** Of the gates; default sigmoid. */
  readonly recurrentActivation?: string
  readonly useBias?: boolean
  readonly dropout?: number
  readonly recurrentDropout?: number
  readonly returnSequences?: boolean
  readonly returnState?: boolean
  readonly goBackwards?: boolean
  readonly stateful?: boolean
  readonly name?: string
  readonly trainable?: boolean
  /** [steps, features] */
  readonly inputShape?: readonly (number | null)[]
}

type CellOptions = Pick<ResetAfterGruOptions, 'units' | 'activation' | 'recurrentActivation' | 'useBias' | 'dropout' | 'recurrentDropout' | 'trainable'>

/**
 * One step of a GRU whose reset gate works on the product of state and weights, not on the state: Keras's and cuDNN's form, which `tf.layers` lacks.
 * z = σ(x·Wz + bz + h·Uz + cz), r alike, h' = z·h + (1 − z)·tanh(x·W + b + r·(h·U + c)).
 *
 * @see https://arxiv.org/abs/1406.1078v1 (v1, as cuDNN has it)
 */
export class ResetAfterGruCell extends tfjs.layers.RNNCell {
  static readonly className = 'ResetAfterGRUCell'
  readonly units: number
  readonly #options: Required<Omit<CellOptions, 'trainable'>>
  readonly #activation: tf.layers.Layer
  readonly #gate: tf.layers.Layer
  #kernel!: tf.LayerVariable
  #recurrentKernel!: tf.LayerVariable
  #bias: tf.LayerVariable | undefined

  constructor ({ units, activation = 'tanh', recurrentActivation = 'sigmoid', useBias = true, dropout = 0, recurrentDropout = 0, ...layer }: CellOptions) {
    super(layer)
    this.units = units
    this.#options = { units, activation, recurrentActivation, useBias, dropout, recurrentDropout }
    this.#activation = tfjs.layers.activation({ activation: activation as 'tanh' })
    this.#gate = tfjs.layers.activation({ activation: recurrentActivation as 'sigmoid' })
  }

  get stateSize (): number {
    return this.units
  }

  override build (inputShape: tf.Shape): void {
    const { glorotNormal, orthogonal, zeros } = tfjs.initializers
    this.#kernel = this.addWeight('kernel', [inputShape.at(-1)!, 3 * this.units], 'float32', glorotNormal({}))
    this.#recurrentKernel = this.addWeight('recurrent_kernel', [this.units, 3 * this.units], 'float32', orthogonal({}))
    if (this.#options.useBias) this.#bias = this.addWeight('bias', [2, 3 * this.units], 'float32', zeros())
    this.built = true
  }

  /** Without dropout: that is for the lowered graph, which learns. @param inputs x [rows, features] and h [rows, units] */
  override call (inputs: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
    return tfjs.tidy(() => {
      const [x, h] = inputs as [tf.Tensor2D, tf.Tensor2D]
      const [inner, outer] = this.#bias === undefined ? [] : tfjs.unstack(this.#bias.read())
      const fromInput = split(add(tfjs.matMul(x, this.#kernel.read()), inner))
      const fromState = split(add(tfjs.matMul(h, this.#recurrentKernel.read()), outer))
      const z = this.#gate.call(tfjs.add(fromInput[0]!, fromState[0]!), {}) as tf.Tensor
      const r = this.#gate.call(tfjs.add(fromInput[1]!, fromState[1]!), {}) as tf.Tensor
      const candidate = this.#activation.call(tfjs.add(fromInput[2]!, tfjs.mul(r, fromState[2]!)), {}) as tf.Tensor
      const next = tfjs.add(tfjs.mul(z, h), tfjs.mul(tfjs.sub(1, z), candidate))
      return [next, next]
    })
  }

  override getConfig (): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#options }
  }
}

/** A gated recurrent unit as Keras has it. Lowers, learns and predicts like `tf.layers.gru`, whose weights do not fit Keras's. */
export class ResetAfterGru extends tfjs.RNN {
  static override readonly className = 'ResetAfterGRU'

  constructor (options: ResetAfterGruOptions) {
    const { units, activation, recurrentActivation, useBias, dropout, recurrentDropout, ...rnn } = options
    const cell = new ResetAfterGruCell({
      units,
      ...(activation !== undefined && { activation }),
      ...(recurrentActivation !== undefined && { recurrentActivation }),
      ...(useBias !== undefined && { useBias }),
      ...(dropout !== undefined && { dropout }),
      ...(recurrentDropout !== undefined && { recurrentDropout })
    })
    super({ ...rnn, cell } as unknown as ConstructorParameters<typeof tfjs.RNN>[0])
  }

  override getConfig (): tf.serialization.ConfigDict {
    const { cell, ...config } = super.getConfig()
    const { name, trainable, ...own } = (this.cell as ResetAfterGruCell).getConfig()
    return { ...config, ...own }
  }

  static override fromConfig<T extends tf.serialization.Serializable> (Class: tf.serialization.SerializableConstructor<T>, config: tf.serialization.ConfigDict): T {
    return new Class(config)
  }
}

tfjs.serialization.registerClass(ResetAfterGruCell)
tfjs.serialization.registerClass(ResetAfterGru)

function add (x: tf.Tensor, bias: tf.Tensor | undefined): tf.Tensor {
  return bias === undefined ? x : tfjs.add(x, bias)
}

function split (x: tf.Tensor): tf.Tensor[] {
  return tfjs.split(x, 3, 1)
}
