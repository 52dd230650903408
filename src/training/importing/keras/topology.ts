import { BadModelFileError, CannotImportError } from '../../../errors.ts'
import { ResetAfterGru } from '../../layers/reset-after-gru.ts'
import { isObject, type JsonObject } from '../json.ts'

export interface KerasVersion {
  /** 2 or 3: some names mean something else in each. */
  readonly major: number
}

/**
 * What Keras says of a model, as `tf.layers` reads it: in the form of Keras 2, with classes that have the same meaning here. Each layer keeps
 * Keras's name for its class as `keras_class`.
 *
 * @param described `{ class_name, config }`, as `model.to_json()` or an archive has it
 * @throws CannotImportError naming what has no counterpart here
 */
export function translateTopology (path: string, described: JsonObject, version: KerasVersion): JsonObject {
  const className = described['class_name']
  if (className !== 'Sequential' && className !== 'Functional' && className !== 'Model') {
    throw new CannotImportError(`${path}: a model of class ${String(className)}`, 'its layers are connected by code; export it as a SavedModel with model.export')
  }
  return translateLayer({ path, version, place: '' }, described)
}

interface Context {
  readonly path: string
  readonly version: KerasVersion
  /** Names of the models around, for errors. */
  readonly place: string
  /** Operations of the model that say which steps count. */
  readonly masks?: ReadonlySet<unknown>
}

function translateLayer (context: Context, described: unknown): JsonObject {
  if (!isObject(described) || typeof described['class_name'] !== 'string' || !isConfig(described['config'])) throw new BadModelFileError(context.path, 'a layer of it has no class_name or no config')
  const { class_name: className, config: given, module, registered_name: registered } = described
  const config = Array.isArray(given) ? { layers: given } : given as JsonObject
  const name = [config['name'], described['name']].find(value => typeof value === 'string') ?? className
  const here = { ...context, place: context.place === '' ? name : `${context.place}/${name}` }
  refuseForeign(here, className, module, registered)
  const inner = isContainer(className) ? translateContainer(here, config) : translateConfig(here, className, config)
  return {
    ...(described['name'] !== undefined && { name: described['name'] }),
    ...(described['inbound_nodes'] !== undefined && { inbound_nodes: translateNodes(here, described['inbound_nodes']) }),
    ...inner,
    keras_class: className
  }
}

function isConfig (value: unknown): boolean {
  return isObject(value) || Array.isArray(value)
}

function isContainer (className: string): boolean {
  return className === 'Sequential' || className === 'Functional' || className === 'Model'
}

/** An operation such as `x * 2` has the name of a layer, too: the module tells. */
function refuseForeign ({ path, place }: Context, className: string, module: unknown, registered: unknown): void {
  const isKeras = module === undefined || module === null || /^(tf_)?keras(\.src)?(\.layers|\.models|\.engine|$)/.test(typeof module === 'string' ? module : '?')
  const isRegistered = typeof registered === 'string' && registered !== className && !registered.startsWith('keras')
  if (!isKeras || isRegistered) throw new CannotImportError(`${path}: layer "${place}" of class ${className}`, `it is not Keras's own${typeof module === 'string' ? `, but of ${module}` : ''}`)
}

function translateContainer (context: Context, config: JsonObject): JsonObject {
  const { layers } = config
  if (!Array.isArray(layers)) throw new BadModelFileError(context.path, `its model "${context.place}" has no layers`)
  const masks = maskOperations(layers)
  const within = { ...context, masks: new Set(masks.map(({ name }) => name)) }
  const translated = layers.filter(layer => !masks.includes(layer as JsonObject)).map(layer => translateLayer(within, layer))
  refuseMasked(context, translated)
  const name = config['name'] ?? context.place
  if (!('input_layers' in config)) return { class_name: 'Sequential', config: { name, layers: translated } }
  const ends = { input_layers: endsOf(context, config['input_layers']), output_layers: endsOf(context, config['output_layers']) }
  if (context.version.major >= 3) countOwnNodes(translated, ends)
  return { class_name: 'Model', config: { name, ...(typeof config['trainable'] === 'boolean' && { trainable: config['trainable'] }), layers: translated, ...ends } }
}

/**
 * Keras 3 writes down how an embedding or masking layer finds the steps that count, and hands it on from call to call. `tf.layers` does both by
 * itself.
 */
function maskOperations (layers: readonly unknown[]): JsonObject[] {
  return layers.filter(isObject).filter(layer => {
    const { class_name: className, inbound_nodes: nodes } = layer
    if ((className !== 'NotEqual' && className !== 'Any') || !Array.isArray(nodes) || nodes.length !== 1) return false
    const [source] = isObject(nodes[0]) && Array.isArray(nodes[0]['args']) ? nodes[0]['args'] as unknown[] : []
    return historyOf(source) !== undefined
  })
}

/** What Keras makes of the steps that count, and `tf.layers` does not. */
const MASK_READERS = new Set(['GlobalAveragePooling1D', 'Softmax'])

function refuseMasked ({ path, place }: Context, layers: readonly JsonObject[]): void {
  const isMasked = layers.some(({ keras_class: className, config }) => className === 'Masking' || (className === 'Embedding' && isObject(config) && config['mask_zero'] === true))
  const reader = isMasked ? layers.find(({ keras_class: className }) => MASK_READERS.has(String(className))) : undefined
  if (reader !== undefined) throw new CannotImportError(`${path}: a layer of class ${String(reader['keras_class'])} in "${place}"`, 'it would leave out steps that do not count (mask_zero, Masking), which tf.layers does not')
}

type Reference = [layer: string, node: number, ...unknown[]]

/** The first call of a model within a model is its node 0 in Keras 3; in Keras 2 and `tf.layers` that is what is inside, and the call is node 1. */
function countOwnNodes (layers: readonly JsonObject[], { output_layers: outputs }: { readonly output_layers: Reference[] }): void {
  const models = new Set(layers.filter(({ keras_class: className }) => isContainer(String(className))).map(({ name }) => name))
  const calls = layers.flatMap(({ inbound_nodes: nodes }) => Array.isArray(nodes) ? nodes.flat() as Reference[] : [])
  for (const reference of [...calls, ...outputs]) if (models.has(reference[0])) reference[1]++
}

/** Of a model with one input or output, Keras 3 leaves out the list. */
function endsOf ({ path, place }: Context, ends: unknown): Reference[] {
  if (!Array.isArray(ends)) throw new CannotImportError(`${path}: model "${place}"`, 'its inputs or outputs are not a list')
  return structuredClone(typeof ends[0] === 'string' ? [ends as Reference] : ends as Reference[])
}

/** Options whose names differ. */
const RENAMED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  InputLayer: { batch_shape: 'batch_input_shape' },
  LeakyReLU: { negative_slope: 'alpha' }
}

function translateConfig (context: Context, className: string, config: JsonObject): JsonObject {
  const renamed = RENAMED[className] ?? {}
  if (className === 'Bidirectional') refuseUneven(context, config)
  const entries = Object.entries(config).filter(([option]) => option !== 'backward_layer')
  const translated = Object.fromEntries(entries.map(([option, value]) => [renamed[option] ?? option, translateOption(context, option, value)]))
  if (className === 'GRU' && translated['reset_after'] !== false) return { class_name: ResetAfterGru.className, config: without(translated, ['reset_after', 'implementation']) }
  return { class_name: className, config: translated }
}

/** `tf.layers` makes the layer that goes backwards of the one that goes forwards. */
function refuseUneven ({ path, place }: Context, { layer, backward_layer: backward }: JsonObject): void {
  const options = (of: unknown): string => JSON.stringify(isObject(of) && isObject(of['config']) ? Object.entries(of['config']).filter(([option]) => !['name', 'go_backwards', 'dtype'].includes(option) && !option.endsWith('initializer')) : of)
  if (isObject(backward) && options(backward) !== options(layer)) throw new CannotImportError(`${path}: layer "${place}"`, 'its backward_layer has other options than its layer')
}

function without (config: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(config).filter(([name]) => !names.includes(name)))
}

type Translate = (context: Context, value: unknown, option: string) => unknown

/** By the last word of an option's name. */
const OPTIONS: Readonly<Record<string, Translate>> = {
  activation: activationOf,
  axis: (_, value) => Array.isArray(value) && value.length === 1 ? value[0] as unknown : value,
  cell: translateLayer,
  cells: (context, value) => Array.isArray(value) ? value.map(cell => translateLayer(context, cell)) : value,
  constraint: (_, value) => plainObject(value),
  dtype: dtypeOf,
  initializer: (_, value) => value === null ? null : { class_name: 'Zeros', config: {} }, // the weights are stored
  layer: translateLayer,
  regularizer: regularizerOf
}

function translateOption (context: Context, option: string, value: unknown): unknown {
  const word = option.slice(option.lastIndexOf('_') + 1)
  return Object.hasOwn(OPTIONS, word) ? OPTIONS[word]!(context, value, option) : value
}

/** Calculation is in float32 here, whatever the policy was to learn faster. */
function dtypeOf (context: Context, value: unknown): unknown {
  const name = isObject(value) && isObject(value['config']) ? value['config']['name'] : value
  if (name === null || name === undefined) return 'float32'
  if (typeof name === 'string' && /^(float32|mixed_float16|mixed_bfloat16|int32|bool|uint8|int64)$/.test(name)) return /^(int|uint)/.test(name) ? 'int32' : name === 'bool' ? 'bool' : 'float32'
  throw new CannotImportError(`${context.path}: layer "${context.place}"`, `it calculates in ${JSON.stringify(name)}; float32 is there`)
}

function regularizerOf (context: Context, value: unknown, option: string): unknown {
  if (value === null || value === undefined) return null
  const { class_name: className, config } = isObject(value) ? value : {}
  const { l1 = 0, l2 = 0 } = isObject(config) ? config : {}
  if (className === 'L1' || className === 'L2' || className === 'L1L2') return { class_name: 'L1L2', config: { l1, l2 } }
  throw new CannotImportError(`${context.path}: the ${option} of layer "${context.place}"`, 'L1, L2 and L1L2 are there')
}

/** Without what only Keras 3 says of it. */
function plainObject (value: unknown): unknown {
  return isObject(value) ? { class_name: value['class_name'], config: value['config'] } : value
}

/** Keras 3's `hard_sigmoid` is another function than Keras 2's and `tf.layers`'. */
function activationOf ({ path, place, version }: Context, value: unknown): unknown {
  if (isObject(value)) throw new CannotImportError(`${path}: layer "${place}"`, 'its activation is code of its own')
  if (value === 'hard_sigmoid' && version.major >= 3) throw new CannotImportError(`${path}: layer "${place}"`, 'its activation hard_sigmoid, which is x/6 + 0.5 in Keras 3, is 0.2·x + 0.5 here')
  return value === 'silu' ? 'swish' : value
}

/** Keras 3 writes down calls as they were made; those with one tensor, or a list of them, are what `tf.layers` knows. */
function translateNodes (context: Context, nodes: unknown): unknown {
  if (!Array.isArray(nodes)) return nodes
  return nodes.map((node: unknown) => {
    if (!isObject(node)) return node
    const { args, kwargs } = node
    const [first, ...others] = Array.isArray(args) ? args as unknown[] : []
    const given = isObject(kwargs) ? Object.entries(kwargs).filter(([name, value]) => value !== null && value !== false && !(name === 'mask' && isMask(context, value))) : []
    if (others.some(value => value !== null) || given.length > 0) throw new CannotImportError(`${context.path}: layer "${context.place}"`, `it is called with more than its inputs${given.length > 0 ? `: ${given.map(([name]) => name).join(', ')}` : ''}`)
    return (Array.isArray(first) ? first as unknown[] : [first]).map(tensor => referenceTo(context, tensor))
  })
}

function isMask ({ masks }: Context, tensor: unknown): boolean {
  return masks?.has(historyOf(tensor)?.[0]) === true
}

function referenceTo ({ path, place }: Context, tensor: unknown): unknown[] {
  const history = historyOf(tensor)
  if (history === undefined) throw new CannotImportError(`${path}: layer "${place}"`, 'it is called with something that is no other layer\'s output')
  return [...history, {}]
}

/** Layer, node and output that a tensor of Keras 3 comes from; undefined for anything else. */
function historyOf (tensor: unknown): readonly unknown[] | undefined {
  const history = isObject(tensor) && isObject(tensor['config']) ? tensor['config']['keras_history'] : undefined
  return Array.isArray(history) ? history as unknown[] : undefined
}
