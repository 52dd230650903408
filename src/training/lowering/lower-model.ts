import type tf from '@tensorflow/tfjs'
import { LoweringError } from '../../errors.ts'
import type { Graph, Operation, Output, Variable } from '../../tensorflow/index.ts'
import { LayerConfig } from './layer-config.ts'
import type { KeptValue, LayerCall, Lowering, Masked } from './layer-call.ts'
import type { ModelVariables } from './model-variables.ts'
import { regularizationLosses } from './regularizers.ts'
import { findLowering, loweredLayers } from './registry.ts'
import { Scope, type Precision } from './scope.ts'

/** How a model is lowered. */
export interface LowerOptions {
  /** One for each of the model's inputs, in its order. */
  readonly inputs: readonly Output[]
  readonly variables: ModelVariables
  /** Left out, the model is lowered to predict. */
  readonly training?: TrainingInputs
  /** Put before the names of the operations. */
  readonly prefix?: string
  /** Default float32. */
  readonly precision?: Precision
}

/** What random operations are seeded with while training. */
export interface TrainingInputs {
  /** int64 scalar, another one at each step. */
  readonly step: Output
  /** A seed for each use of a layer that wants one, counted from 0. */
  seedOfUse (use: number): number
}

/** A probability's origin: softmax or sigmoid of the logits. */
export interface Logits {
  readonly kind: 'softmax' | 'sigmoid'
  readonly output: Output
}

/** A model as operations. */
export interface LoweredModel {
  readonly outputs: readonly Output[]
  /** For each output the logits that it was made from, where its last operation is a softmax or sigmoid. */
  readonly logits: readonly (Logits | undefined)[]
  /** Scalars to add to the loss. Only in training. */
  readonly penalties: readonly Output[]
  /** To run with each training step: moving averages. */
  readonly updates: readonly Operation[]
}

/**
 * Writes a built `tf.layers` model, sequential or functional, into the graph of its variables. Layers used twice share their variables,
 * models inside models are walked like the model itself. Called twice, once to train and once to predict, both share the variables.
 *
 * @throws LoweringError naming the layer, if its class or one of its options has no lowering
 */
export function lowerModel (graph: Graph, model: tf.LayersModel, options: LowerOptions): LoweredModel {
  const walk = new ModelWalk(graph, options)
  const scope = new Scope(graph, 'outputs')
  // A run can't give back what it was fed, so an input that comes out unchanged goes through an operation.
  const found = walk.outputsOf(model, options.inputs.map(output => ({ output })))
  const outputs = found.map(({ output }) => options.inputs.includes(output) ? scope.op('Identity', [output]) : isHalf(output) ? scope.float(output) : output)
  const logits = found.map(({ output }) => walk.logits.get(output.name)).map(origin => origin && { ...origin, output: scope.float(origin.output) })
  return { outputs, logits, penalties: walk.penalties, updates: [...walk.updates.values()] }
}

function isHalf ({ dtype }: Output): boolean {
  return dtype === 'bfloat16' || dtype === 'float16'
}

class ModelWalk {
  readonly logits = new Map<string, Logits>()
  readonly penalties: Output[] = []
  /** The last update of each variable, by its name. */
  readonly updates = new Map<string, Operation>()
  readonly #graph: Graph
  readonly #options: LowerOptions
  readonly #seen = new Set<number>()
  /** The last operation that kept a value, by its variable's name. */
  readonly #lastKept = new Map<string, Operation>()
  #randomUses = 0

  constructor (graph: Graph, options: LowerOptions) {
    this.#graph = graph
    this.#options = options
  }

  outputsOf (model: tf.LayersModel, inputs: readonly Masked[]): Masked[] {
    const known = new Map(model.inputs.map((tensor, index) => [tensor.id, inputs[index]!]))
    return model.outputs.map(tensor => this.#valueOf(tensor, known))
  }

  /** Follows a symbolic tensor back to the inputs; each use of a layer is lowered once. */
  #valueOf (tensor: tf.SymbolicTensor, known: Map<number, Masked>): Masked {
    const found = known.get(tensor.id)
    if (found !== undefined) return found
    const { sourceLayer } = tensor
    const node = sourceLayer.inboundNodes[tensor.nodeIndex]
    if (node === undefined || node.inputTensors.length === 0) throw new LoweringError(sourceLayer.name, 'it is not connected to an input of the model')
    const inputs = node.inputTensors.map(input => this.#valueOf(input, known))
    const outputs = this.#lowerLayer(sourceLayer, inputs, this.#scopeOf(sourceLayer))
    node.outputTensors.forEach((output, index) => { known.set(output.id, outputs[index]!) })
    return known.get(tensor.id)!
  }

  #scopeOf ({ name }: tf.layers.Layer): Scope {
    const { prefix, precision } = this.#options
    return new Scope(this.#graph, prefix === undefined ? name : `${prefix}/${name}`, precision)
  }

  #lowerLayer (layer: tf.layers.Layer, inputs: readonly Masked[], scope: Scope): readonly Masked[] {
    if (isModel(layer)) return this.outputsOf(layer, inputs)
    const className = layer.getClassName()
    const lowering = findLowering(className)
    if (lowering === undefined) {
      throw new LoweringError(layer.name, `there is no lowering for its class ${className}; there is one for ${loweredLayers().join(', ')}. Add yours with registerLowering`)
    }
    const given = lowering.anyInput === true ? inputs : inputs.map(({ output, mask }) => ({ output: lowering.takesHalf === true && output.dtype === scope.precision ? output : scope.float(output), mask }))
    const call = this.#call(layer, scope, given)
    const outputs = [lowering.lower(call)].flat()
    const masks = this.#masksOf(call, lowering)
    return outputs.map((output, index) => ({ output, mask: masks[index] }))
  }

  /** A layer that does not support masks ends them, as in `tf.layers`. */
  #masksOf (call: LayerCall, { masks }: Lowering): readonly (Output | undefined)[] {
    if (!call.layer.supportsMasking) return []
    return masks === undefined ? [call.masks[0]] : masks(call)
  }

  /** Once for each layer, also for one that is used several times. */
  #prepareTraining (layer: tf.layers.Layer, scope: Scope): void {
    if (this.#seen.has(layer.id)) return
    this.#seen.add(layer.id)
    this.penalties.push(...regularizationLosses(layer, this.#options.variables, scope))
  }

  #call (layer: tf.layers.Layer, scope: Scope, inputs: readonly Masked[]): LayerCall {
    const { variables, training } = this.#options
    if (training !== undefined) this.#prepareTraining(layer, scope)
    return {
      layer,
      config: new LayerConfig(layer.name, layer.getConfig()),
      inputs: inputs.map(({ output }) => output),
      input: inputs[0]!.output,
      masks: inputs.map(({ mask }) => mask),
      scope,
      isTraining: training !== undefined,
      weight: name => variables.of(weightOf(layer, name)).read(),
      updateWeight: (name, next) => { this.#update(variables.of(weightOf(layer, name)), scope, next) },
      randomSeed: () => this.#randomSeed(scope),
      kept: (name, shape) => this.#kept(`${layer.name}/${name}`, shape, scope),
      as: inner => this.#call(inner, scope, inputs),
      lower: (inner, given) => this.#lowerLayer(inner, given, scope.under(inner.name)),
      madeFromLogits: (probabilities, kind, output) => { this.logits.set(probabilities.name, { kind, output }) }
    }
  }

  /** A layer used twice updates twice, the second time on what the first one left. */
  #update (variable: Variable, scope: Scope, next: (value: Output) => Output): void {
    this.updates.set(variable.name, variable.assign(next(readAfter(variable, scope, this.updates.get(variable.name)))))
  }

  /** A layer used twice takes on the second time what the first one kept. */
  #kept (name: string, shape: readonly number[], scope: Scope): KeptValue {
    const variable = this.#options.variables.keep(name, shape)
    const keep = (next: Output): Operation => {
      const assigned = variable.assign(next)
      this.#lastKept.set(variable.name, assigned)
      return assigned
    }
    return { value: readAfter(variable, scope, this.#lastKept.get(variable.name)), keep }
  }

  #randomSeed (scope: Scope): Output {
    const { training } = this.#options
    if (training === undefined) throw new Error('A model that predicts has no random operations. This is a bug.')
    const seed = scope.graph.scalar('int64', training.seedOfUse(this.#randomUses++))
    return scope.op('Pack', [[seed, training.step]])
  }
}

function readAfter (variable: Variable, scope: Scope, before: Operation | undefined): Output {
  return before === undefined ? variable.read() : scope.operation('ReadVariableOp', [variable.handle], { dtype: variable.dtype }, [before]).output(0)
}

function isModel (layer: tf.layers.Layer): layer is tf.LayersModel {
  return 'layers' in layer && 'inputs' in layer && 'outputs' in layer
}

function weightOf (layer: tf.layers.Layer, name: string): tf.LayerVariable {
  const weight = layer.weights.find(({ originalName }) => originalName.endsWith(`/${name}`))
  if (weight === undefined) throw new Error(`Layer ${layer.name} has no weight "${name}". This is a bug.`)
  return weight
}
