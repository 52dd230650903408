import { BadModelFileError } from '../../errors.ts'
import { isObject, type JsonObject } from './json.ts'

/**
 * Makes sure that the layers of a model's description lead from its inputs to its outputs, in nested models too. `tf.layers` tries to connect
 * them until it can, without an end where it never can.
 *
 * @param topology `{ class_name, config }`, in Keras's spelling or `tf.layers`' own
 * @throws BadModelFileError naming a layer that waits for something that never comes
 */
export function checkConnections (path: string, topology: JsonObject): void {
  const config = topology['config']
  const layers = Array.isArray(config) ? config as unknown[] : isObject(config) ? config['layers'] : undefined
  if (!Array.isArray(layers)) return
  const described = layers.map(layer => {
    if (!isObject(layer)) throw new BadModelFileError(path, 'a layer of it is not an object')
    return layer
  })
  for (const layer of described) checkConnections(path, innermost(layer))
  if (described.some(layer => inboundNodes(layer) !== undefined)) connect(path, described.map(layer => describeCalls(path, layer)))
}

/** What a wrapper wraps, else the layer itself. */
function innermost (layer: JsonObject): JsonObject {
  const inner = isObject(layer['config']) ? layer['config']['layer'] : undefined
  return isObject(inner) ? innermost(inner) : layer
}

/** One use of a layer: outputs of other layers that it waits for. */
type Call = readonly (readonly [layer: string, node: number])[]

interface Calls {
  readonly name: string
  /** Nodes that are there from the start: an input's own, and the one inside a nested model. */
  readonly ownNodes: number
  readonly calls: readonly Call[]
}

const WITH_OWN_NODE = new Set(['InputLayer', 'Functional', 'Model', 'Sequential'])

function describeCalls (path: string, layer: JsonObject): Calls {
  const { name } = layer
  const nodes = inboundNodes(layer)
  const ownName = isObject(layer['config']) ? layer['config']['name'] ?? name : name
  if (typeof name !== 'string' || ownName !== name) throw new BadModelFileError(path, 'a layer of it has no name, or two')
  if (!Array.isArray(nodes)) throw new BadModelFileError(path, `its layer "${name}" does not say what it is connected to`)
  const className = String(layer['class_name'] ?? layer['className'])
  return { name, ownNodes: WITH_OWN_NODE.has(className) ? 1 : 0, calls: nodes.map(node => readCall(path, name, node)) }
}

function inboundNodes (layer: JsonObject): unknown {
  return layer['inbound_nodes'] ?? layer['inboundNodes']
}

function readCall (path: string, name: string, node: unknown): Call {
  const inputs = Array.isArray(node) ? node as unknown[] : [undefined]
  return inputs.map(input => {
    const [layer, index] = Array.isArray(input) ? input as unknown[] : []
    if (typeof layer !== 'string' || typeof index !== 'number') throw new BadModelFileError(path, `its layer "${name}" is connected to something that is no layer`)
    return [layer, index] as const
  })
}

/** Makes every call whose inputs are there, again and again, as `tf.layers` does. */
function connect (path: string, layers: readonly Calls[]): void {
  const nodes = new Map(layers.map(({ name, ownNodes }) => [name, ownNodes]))
  if (nodes.size < layers.length) throw new BadModelFileError(path, 'two layers of it have the same name')
  let waiting = layers.flatMap(({ name, calls }) => calls.map(call => ({ name, call })))
  while (waiting.length > 0) {
    const left = waiting.filter(({ name, call }) => {
      const isReady = call.every(([layer, index]) => (nodes.get(layer) ?? 0) > index)
      if (isReady) nodes.set(name, nodes.get(name)! + 1)
      return !isReady
    })
    if (left.length === waiting.length) throw new BadModelFileError(path, `its layer "${left[0]!.name}" waits for layers that are missing, or for itself`)
    waiting = left
  }
}
