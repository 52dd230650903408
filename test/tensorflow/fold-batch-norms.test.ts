import t, { type Test } from 'tap'
import { floats, loadLibrary, type Graph, type Output } from '../../src/tensorflow/index.ts'
import { freeze, load, operationTypes, typesOnceFrozen, variedNumbers } from '../support/frozen-models.ts'
import { writeTinyModel } from '../support/saved-models.ts'

loadLibrary()

type Variable = (name: string, shape: readonly number[]) => Output
/** From pixels of [rows, 6, 5, 4] to what the signature gives. */
type Network = (graph: Graph, x: Output, variable: Variable) => Record<string, Output>

/** Answers of the network frozen have to be those as it was saved. @returns the types of the frozen graph's operations */
async function frozenTypes (t: Test, network: Network, { shape = [-1, 6, 5, 4], tolerance = 1e-6 } = {}): Promise<Record<string, number>> {
  const directory = t.testdir()
  await writeNetwork(directory, network, shape)
  return await typesOnceFrozen(t, directory, { tolerance })
}

async function writeNetwork (directory: string, network: Network, shape = [-1, 6, 5, 4]): Promise<void> {
  await writeTinyModel(directory, ({ graph, variable }) => {
    const x = graph.placeholder('float32', shape, 'x')
    const made = (name: string, sides: readonly number[]): Output => variable(name, floats([...sides], variedNumbers(sides.reduce((product, side) => product * side, 1))))
    return { serving_default: { inputs: { x }, outputs: network(graph, x, made) } }
  })
}

function convolve (graph: Graph, x: Output, variable: Variable, attributes: Record<string, string> = {}): Output {
  return graph.apply('Conv2D', [x, variable('filter', [3, 3, 4, 6])], { strides: [1, 1, 1, 1], padding: 'SAME', ...attributes })
}

/** γ, β and mean are variables, the variance is what its own name says. */
function norm (graph: Graph, x: Output, variable: Variable, { channels = 6, ...attributes }: { channels?: number, [name: string]: number | string | boolean } = {}): Output[] {
  const variance = graph.apply('Square', [variable('deviation', [channels])])
  const inputs = [x, variable('gamma', [channels]), variable('beta', [channels]), variable('mean', [channels]), variance]
  const operation = graph.op('FusedBatchNormV3', inputs, { is_training: false, epsilon: 0.01, ...attributes })
  return [0, 1].map(index => operation.output(index))
}

t.test('a batch normalization is taken into the convolution before it', async t => {
  const types = await frozenTypes(t, (graph, x, variable) => ({ y: norm(graph, convolve(graph, x, variable), variable)[0]! }))
  t.match(types, { Conv2D: 1, BiasAdd: 1 })
  t.notMatch(types, { FusedBatchNormV3: Number })
})

t.test('so it is with a bias between the two', async t => {
  const types = await frozenTypes(t, (graph, x, variable) => {
    const biased = graph.apply('BiasAdd', [convolve(graph, x, variable), variable('bias', [6])])
    return { y: norm(graph, biased, variable)[0]! }
  })
  t.notMatch(types, { FusedBatchNormV3: Number })
})

t.test('so it is after a depthwise convolution with several filters for a channel', async t => {
  const types = await frozenTypes(t, (graph, x, variable) => {
    const filtered = graph.apply('DepthwiseConv2dNative', [x, variable('filter', [3, 2, 4, 3])], { strides: [1, 1, 1, 1], padding: 'VALID' })
    return { y: norm(graph, filtered, variable, { channels: 12 })[0]! }
  })
  t.match(types, { DepthwiseConv2dNative: 1, BiasAdd: 1 })
  t.notMatch(types, { FusedBatchNormV3: Number })
})

t.test('one after the other, each is taken into its own', async t => {
  const types = await frozenTypes(t, (graph, x, variable) => {
    const prefixed = (prefix: string): Variable => (name, shape) => variable(`${prefix}_${name}`, shape)
    const first = graph.apply('Relu', [norm(graph, convolve(graph, x, prefixed('first')), prefixed('first'))[0]!])
    const filter = variable('pointwise', [1, 1, 6, 6])
    return { y: norm(graph, graph.apply('Conv2D', [first, filter], { strides: [1, 1, 1, 1], padding: 'SAME' }), prefixed('second'))[0]! }
  })
  t.match(types, { Conv2D: 2, BiasAdd: 2 })
  t.notMatch(types, { FusedBatchNormV3: Number })
})

t.test('without ε and layout of its own it has TensorFlow’s', async t => {
  const types = await frozenTypes(t, (graph, x, variable) => {
    const variance = graph.constant(floats([6], [0, 0, 0, 0, 0, 0]))
    const inputs = [convolve(graph, x, variable), variable('gamma', [6]), variable('beta', [6]), variable('mean', [6]), variance]
    return { y: graph.op('FusedBatchNormV3', inputs, { is_training: false }).output(0) }
  }, { tolerance: 1e-4 }) // without a variance numbers are a hundred times as large
  t.notMatch(types, { FusedBatchNormV3: Number })
})

/** As Keras 3 writes it: a product and a sum. @param shape of the numbers */
function plainNorm (graph: Graph, x: Output, variable: Variable, { shape = [6], isTurned = false }: { shape?: number[], isTurned?: boolean } = {}): Output {
  const variance = graph.apply('AddV2', [variable('variance', shape), graph.constant(floats([], [1]))])
  const scale = graph.apply('Mul', [graph.apply('Rsqrt', [variance]), variable('gamma', shape)])
  const shift = graph.apply('Sub', [variable('beta', shape), graph.apply('Mul', [variable('mean', shape), scale])])
  const product = graph.apply('Mul', isTurned ? [scale, x] : [x, scale])
  return graph.apply('AddV2', isTurned ? [shift, product] : [product, shift])
}

const plain: Record<string, Network> = {
  'a product and a sum': (graph, x, variable) => ({ y: plainNorm(graph, convolve(graph, x, variable), variable) }),
  'a product and a sum with their inputs the other way round': (graph, x, variable) => ({ y: plainNorm(graph, convolve(graph, x, variable), variable, { isTurned: true }) }),
  'a product and a sum of the pictures’ rank': (graph, x, variable) => ({ y: plainNorm(graph, convolve(graph, x, variable), variable, { shape: [1, 1, 1, 6] }) }),
  'a product and a sum after a depthwise convolution': (graph, x, variable) => {
    const filtered = graph.apply('DepthwiseConv2dNative', [x, variable('filter', [3, 2, 4, 3])], { strides: [1, 1, 1, 1], padding: 'VALID' })
    return { y: plainNorm(graph, filtered, variable, { shape: [12] }) }
  }
}

for (const [name, network] of Object.entries(plain)) {
  t.test(`${name} are a batch normalization too`, async t => { t.match(await frozenTypes(t, network), { BiasAdd: 1 }) })
}

t.test('so they are after a bias', async t => {
  const types = await frozenTypes(t, (graph, x, variable) => ({ y: plainNorm(graph, graph.apply('BiasAdd', [convolve(graph, x, variable), variable('bias', [6])]), variable) }))
  t.match(types, { BiasAdd: 2 }, 'the one before is not run any more')
})

const otherSums: Record<string, Network> = {
  'with numbers for each place, not each channel': (graph, x, variable) => ({ y: plainNorm(graph, convolve(graph, x, variable), variable, { shape: [6, 5, 6] }) }),
  'with one number for all': (graph, x, variable) => ({ y: plainNorm(graph, convolve(graph, x, variable), variable, { shape: [] }) }),
  'with numbers that come from the pictures': (graph, x, variable) => {
    const product = graph.apply('Mul', [convolve(graph, x, variable), variable('gamma', [6])])
    const mean = graph.apply('Mean', [convolve(graph, x, name => variable(`second_${name}`, [3, 3, 4, 6])), graph.ints([0, 1, 2])])
    return { y: graph.apply('AddV2', [product, mean]) }
  },
  'of which the product is used elsewhere too': (graph, x, variable) => {
    const product = graph.apply('Mul', [convolve(graph, x, variable), variable('gamma', [6])])
    return { y: graph.apply('AddV2', [product, variable('beta', [6])]), more: graph.apply('Relu', [product]) }
  },
  'after something else than a convolution': (graph, x, variable) => ({ y: plainNorm(graph, graph.apply('Relu', [x]), variable, { shape: [4] }) }),
  'with channels elsewhere': (graph, x, variable) => {
    const moved = graph.apply('Transpose', [x, graph.ints([0, 3, 1, 2])])
    const filtered = graph.apply('Conv2D', [moved, variable('filter', [1, 1, 4, 5])], { strides: [1, 1, 1, 1], padding: 'SAME', data_format: 'NCHW' })
    return { y: plainNorm(graph, filtered, variable, { shape: [5] }) }
  }
}

for (const [name, network] of Object.entries(otherSums)) {
  t.test(`a product and a sum ${name} stay`, async t => { t.notMatch(await frozenTypes(t, network), { BiasAdd: Number }) })
}

const kept: Record<string, Network> = {
  'that calculates the batch’s own statistics': (graph, x, variable) => ({ y: graph.op('FusedBatchNormV3', [convolve(graph, x, variable), variable('gamma', [6]), variable('beta', [6]), variable('none', [0]), variable('nothing', [0])]).output(0) }),
  'after a convolution that is used elsewhere too': (graph, x, variable) => { const product = convolve(graph, x, variable); return { y: norm(graph, product, variable)[0]!, more: graph.apply('Relu', [product]) } },
  'after a convolution that the signature gives': (graph, x, variable) => { const product = convolve(graph, x, variable); return { y: norm(graph, product, variable)[0]!, product } },
  'after something else': (graph, x, variable) => ({ y: norm(graph, graph.apply('Relu', [x]), variable, { channels: 4 })[0]! })
}

for (const [name, network] of Object.entries(kept)) {
  t.test(`a batch normalization ${name} stays`, async t => {
    t.match(await frozenTypes(t, network), { FusedBatchNormV3: 1 })
  })
}

t.test('a batch normalization whose channels are elsewhere than the convolution’s stays', async t => {
  const norms = (graph: Graph, x: Output, variable: Variable): Record<string, Output> => ({ y: norm(graph, convolve(graph, x, variable), variable, { data_format: 'NCHW' })[0]! })
  t.match(await frozenTypes(t, norms, { shape: [-1, 6, 6, 4] }), { FusedBatchNormV3: 1 })
})

t.test('a batch normalization of which the statistics are used stays', async t => {
  const directory = t.testdir()
  await writeNetwork(directory, (graph, x, variable) => {
    const [y, mean] = norm(graph, convolve(graph, x, variable), variable)
    return { y: y!, mean: mean! }
  })
  t.match(await operationTypes(await freeze(t, await load(t, directory))), { FusedBatchNormV3: 1 })
})
