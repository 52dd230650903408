import t, { type Test } from 'tap'
import { floats, loadLibrary, type Graph, type Output } from '../../src/tensorflow/index.ts'
import { typesOnceFrozen, variedNumbers } from '../support/frozen-models.ts'
import { writeTinyModel } from '../support/saved-models.ts'

loadLibrary()

/** Of a convolution and another one's sum. Answers frozen have to be those as it was saved. @returns the types of the frozen graph's operations */
async function frozenTypes (t: Test, then: (graph: Graph, sum: Output) => Output): Promise<Record<string, number>> {
  const directory = t.testdir()
  await writeTinyModel(directory, ({ graph, variable }) => {
    const x = graph.placeholder('float32', [-1, 6, 5, 4], 'x')
    const filtered = (x: Output, name: string): Output => graph.apply('Conv2D', [x, variable(name, floats([3, 3, 4, 6], variedNumbers(216)))], { strides: [1, 2, 2, 1], padding: 'VALID' })
    const biased = graph.apply('BiasAdd', [filtered(x, 'left'), variable('bias', floats([6], variedNumbers(6)))])
    const activated = then(graph, graph.apply('AddV2', [biased, filtered(graph.apply('Exp', [x]), 'right')]))
    return { serving_default: { inputs: { x }, outputs: { y: graph.apply('Mean', [activated, graph.ints([1, 2])]) } } } // what a signature gives is not done along
  })
  return await typesOnceFrozen(t, directory, { tolerance: 1e-5 })
}

for (const alpha of [0, 0.1, 0.7, 1.5, -0.5]) {
  t.test(`a leaky ReLU of slope ${alpha} after a sum keeps its slope`, async t => {
    t.notMatch(await frozenTypes(t, (graph, sum) => graph.apply('LeakyRelu', [sum], { alpha })), { LeakyRelu: Number })
  })
}

t.test('one of TensorFlow’s own slope stays what it is', async t => {
  t.match(await frozenTypes(t, (graph, sum) => graph.apply('LeakyRelu', [sum])), { LeakyRelu: 1 })
})

t.test('so does one after something else', async t => {
  t.match(await frozenTypes(t, (graph, sum) => graph.apply('LeakyRelu', [graph.apply('Neg', [sum])], { alpha: 0.7 })), { LeakyRelu: 1 })
})
