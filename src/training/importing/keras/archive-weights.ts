import type tf from '@tensorflow/tfjs'
import { BadModelFileError } from '../../../errors.ts'
import { isObject, type JsonObject } from '../json.ts'
import { assignArrays } from './assign-arrays.ts'
import type { StoredArray, StoredGroup } from './hdf5.ts'

/** As older versions of Keras call the group of a model's layers, too. */
const CONTAINERS = ['layers', '_layer_checkpoint_dependencies']

/**
 * Gives a model the weights of a `.keras` archive, in which layers have the names of their classes with a number for the second on.
 *
 * @param topology that the model was built of
 */
export function assignArchive (path: string, model: tf.LayersModel, topology: JsonObject, root: StoredGroup): void {
  const container = CONTAINERS.map(name => root.group(name)).find(group => group !== undefined)
  const seen = new Map<string, number>()
  for (const described of layersOf(topology)) {
    const { name, keras_class: className } = described as { name: string, keras_class: string }
    if (isInput(described) && isSequential(topology)) continue // Keras does not count it as a layer there
    const snake = snakeCase(className)
    const count = seen.get(snake) ?? 0
    seen.set(snake, count + 1)
    const key = count === 0 ? snake : `${snake}_${count}`
    assignLayer(path, layerNamed(path, model, described), described, container?.group(key), name)
  }
}

function assignLayer (path: string, layer: tf.layers.Layer | undefined, described: JsonObject, group: StoredGroup | undefined, name: string): void {
  if (layer === undefined || layer.weights.length === 0) return
  if (group === undefined) throw new BadModelFileError(path, `the weights of its layer "${name}" are not there`)
  if ('layers' in layer) return assignArchive(path, layer as tf.LayersModel, described, group)
  const inner = isObject(described['config']) && isObject(described['config']['layer']) ? described['config']['layer'] : undefined
  const wrapped = (layer as unknown as { layer?: tf.layers.Layer }).layer
  if (described['keras_class'] === 'TimeDistributed' && inner !== undefined && wrapped !== undefined) return assignLayer(path, wrapped, inner, group.group('layer'), name)
  assignArrays(path, layer, ownArrays(group))
}

/** Parts that layers keep their weights in, in the order of `tf.layers`. */
const PARTS = ['cell', 'cells', 'forward_layer', 'backward_layer']

function ownArrays (group: StoredGroup): StoredArray[] {
  const own: StoredArray[] = []
  const vars = group.group('vars')
  for (let index = 0, array = vars?.array('0'); array !== undefined; array = vars?.array(String(++index))) own.push(array)
  return [...own, ...PARTS.flatMap(part => {
    const found = group.group(part)
    return found === undefined ? [] : ownArrays(found)
  })]
}

function layersOf ({ config }: JsonObject): JsonObject[] {
  const layers = isObject(config) ? config['layers'] : config
  return Array.isArray(layers) ? layers.filter(isObject) : []
}

function isInput (described: JsonObject): boolean {
  return described['keras_class'] === 'InputLayer'
}

function isSequential (described: JsonObject): boolean {
  return described['keras_class'] === 'Sequential'
}

function layerNamed (path: string, model: tf.LayersModel, described: JsonObject): tf.layers.Layer | undefined {
  const name = isObject(described['config']) ? described['config']['name'] : undefined
  const found = model.layers.find(layer => layer.name === name)
  if (found === undefined && !isInput(described)) throw new BadModelFileError(path, `its layer "${String(name)}" is not in the model`)
  return found
}

/** As Keras writes a class's name: `conv2d`, `re_lu`, `batch_normalization`. @see keras/src/utils/naming.py */
function snakeCase (name: string): string {
  return name.replace(/\W+/g, '').replace(/(.)([A-Z][a-z]+)/g, '$1_$2').replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase()
}
