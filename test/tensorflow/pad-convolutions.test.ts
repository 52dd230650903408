import t, { type Test } from 'tap'
import { floats, loadLibrary, type Attributes, type Graph, type Output } from '../../src/tensorflow/index.ts'
import { typesOnceFrozen, variedNumbers } from '../support/frozen-models.ts'
import { writeTinyModel } from '../support/saved-models.ts'

loadLibrary()

/** From pixels of [rows, 8, 7, 4] to what the signature gives. */
type Network = (graph: Graph, x: Output, filter: Output) => Record<string, Output>

/** Answers of the network frozen have to be those as it was saved. @returns the types of the frozen graph's operations */
async function frozenTypes (t: Test, network: Network): Promise<Record<string, number>> {
  const directory = t.testdir()
  await writeTinyModel(directory, ({ graph, variable }) => {
    const x = graph.placeholder('float32', [-1, 8, 7, 4], 'x')
    const filter = variable('filter', floats([3, 3, 4, 2], variedNumbers(72)))
    return { serving_default: { inputs: { x }, outputs: network(graph, graph.apply('Relu', [x]), filter) } }
  })
  return await typesOnceFrozen(t, directory)
}

/** @param sides before and after, for height and width, or for all four dimensions */
function pad (graph: Graph, x: Output, sides: readonly number[]): Output {
  const all = sides.length === 4 ? [0, 0, ...sides, 0, 0] : sides
  return graph.apply('Pad', [x, graph.constant({ dtype: 'int32', shape: [4, 2], data: Int32Array.from(all) })])
}

const VALID = { strides: [1, 2, 2, 1], padding: 'VALID' }
const apply = (graph: Graph, op: 'Conv2D' | 'DepthwiseConv2dNative', x: Output, filter: Output, attributes: Attributes = {}): Record<string, Output> => ({ y: graph.apply(op, [x, filter], { ...VALID, ...attributes }) })

const taken: Record<string, Network> = {
  'as wide as TensorFlow’s own': (graph, x, filter) => apply(graph, 'Conv2D', pad(graph, x, [0, 1, 1, 1]), filter),
  'as wide as TensorFlow’s own, before a depthwise convolution': (graph, x, filter) => apply(graph, 'DepthwiseConv2dNative', pad(graph, x, [0, 1, 1, 1]), filter),
  'of another width': (graph, x, filter) => apply(graph, 'Conv2D', pad(graph, x, [3, 2, 1, 0]), filter),
  'given in int64': (graph, x, filter) => apply(graph, 'Conv2D', graph.apply('Pad', [x, graph.constant({ dtype: 'int64', shape: [4, 2], data: BigInt64Array.from([0, 0, 1, 2, 2, 1, 0, 0], BigInt) })]), filter)
}

for (const [name, network] of Object.entries(taken)) {
  t.test(`zeros ${name} are the convolution’s own padding`, async t => { t.notMatch(await frozenTypes(t, network), { Pad: Number }) })
}

const kept: Record<string, Network> = {
  'of another width before a depthwise convolution': (graph, x, filter) => apply(graph, 'DepthwiseConv2dNative', pad(graph, x, [1, 1, 1, 1]), filter),
  'around rows': (graph, x, filter) => apply(graph, 'Conv2D', pad(graph, x, [1, 0, 0, 1, 1, 1, 0, 0]), filter),
  'before a convolution with a padding of its own': (graph, x, filter) => apply(graph, 'Conv2D', pad(graph, x, [0, 1, 1, 1]), filter, { padding: 'SAME' }),
  'before a dilated convolution': (graph, x, filter) => apply(graph, 'Conv2D', pad(graph, x, [0, 1, 1, 1]), filter, { strides: [1, 1, 1, 1], dilations: [1, 2, 2, 1] }),
  'that are used elsewhere too': (graph, x, filter) => { const padded = pad(graph, x, [0, 1, 1, 1]); return { ...apply(graph, 'Conv2D', padded, filter), more: graph.apply('Neg', [padded]) } },
  'that the signature gives': (graph, x, filter) => { const padded = pad(graph, x, [0, 1, 1, 1]); return { ...apply(graph, 'Conv2D', padded, filter), padded } }
}

for (const [name, network] of Object.entries(kept)) {
  t.test(`zeros ${name} stay`, async t => { t.match(await frozenTypes(t, network), { Pad: 1 }) })
}
