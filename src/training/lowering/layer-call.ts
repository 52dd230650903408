import type tf from '@tensorflow/tfjs'
import type { Operation, Output } from '../../tensorflow/index.ts'
import type { LayerConfig } from './layer-config.ts'
import type { Scope } from './scope.ts'

/** One use of a layer in a model: what a lowering is given. */
export interface LayerCall {
  readonly layer: tf.layers.Layer
  readonly config: LayerConfig
  /** float32, unless the lowering takes `anyInput`. */
  readonly inputs: readonly Output[]
  /** The only input, or the first. */
  readonly input: Output
  /** For each input, bool [rows, steps]: which steps count. Undefined where all do. */
  readonly masks: readonly (Output | undefined)[]
  /** Where the layer's operations go, under its name. */
  readonly scope: Scope
  /** True in the graph that is trained, false in the one that predicts. */
  readonly isTraining: boolean
  /** The present value of one of the layer's weights, by its name in `tf.layers`: `kernel`. @throws Error if the layer has none of that name */
  readonly weight: (name: string) => Output
  /** Changes a weight that no gradient reaches, once a training step: a moving average. `next` is given the value before the step. */
  readonly updateWeight: (name: string, next: (value: Output) => Output) => void
  /** Two numbers (int64 [2]) that differ for each layer and step, and are the same for the same seed: for stateless random operations. */
  readonly randomSeed: () => Output
  /** A value that the layer takes from one batch to the next, zeros at first: the state of a stateful layer. */
  readonly kept: (name: string, shape: readonly number[]) => KeptValue
  /** The same call as one of a layer inside this one, as a recurrent layer's cell: its options and weights. */
  readonly as: (inner: tf.layers.Layer) => LayerCall
  /** Lowers a layer inside this one. @returns its outputs, with their masks */
  readonly lower: (inner: tf.layers.Layer, inputs: readonly Masked[]) => readonly Masked[]
  /** Says what a probability was made from, so that the loss can start there: exact where the probability is 0 or 1. */
  readonly madeFromLogits: (probabilities: Output, kind: 'softmax' | 'sigmoid', logits: Output) => void
}

/** A tensor and which of its steps count, bool [rows, steps]; undefined where all do. */
export interface Masked {
  readonly output: Output
  readonly mask?: Output | undefined
}

/** What is kept between batches. */
export interface KeptValue {
  /** What the batch before left. */
  readonly value: Output
  /** @returns the operation that keeps another value for the next batch */
  readonly keep: (next: Output) => Operation
}

/** Turns one use of a layer into operations. @returns the layer's outputs */
export type Lower = (call: LayerCall) => Output | readonly Output[]

export interface Lowering {
  readonly lower: Lower
  /** Which steps of the outputs count; those of the first input if left out. Asked only if the layer says that it supports masks. */
  readonly masks?: (call: LayerCall) => readonly (Output | undefined)[]
  /** Inputs come as they are, whole numbers too, instead of as float32. */
  readonly anyInput?: boolean
  /** Where products are in half precision, inputs may come so too: the lowering uses nothing but its scope's operations. */
  readonly takesHalf?: boolean
}
