import t, { type Test } from 'tap'
import { floats, loadLibrary, type Graph, type Output } from '../../src/tensorflow/index.ts'
import { load, typesOnceFrozen, variedNumbers } from '../support/frozen-models.ts'
import { writeTinyModel, type TinyModel } from '../support/saved-models.ts'

loadLibrary()

/** Of one with a bias and another one. @param pixels [rows, 6, 5, 4] */
function sumOfConvolutions ({ graph, variable }: TinyModel, pixels: Output): Output {
  const filtered = (x: Output, name: string): Output => graph.apply('Conv2D', [x, variable(name, floats([3, 3, 4, 6], variedNumbers(216)))], { strides: [1, 2, 2, 1], padding: 'VALID' })
  const biased = graph.apply('BiasAdd', [filtered(pixels, 'left'), variable('bias', floats([6], variedNumbers(6)))])
  return graph.apply('AddV2', [biased, filtered(graph.apply('Exp', [pixels]), 'right')])
}

/** Of a convolution and another one's sum. Answers frozen have to be those as it was saved. @returns the types of the frozen graph's operations */
async function frozenTypes (t: Test, then: (graph: Graph, sum: Output) => Output): Promise<Record<string, number>> {
  const directory = t.testdir()
  await writeTinyModel(directory, ({ graph, variable }) => {
    const x = graph.placeholder('float32', [-1, 6, 5, 4], 'x')
    const activated = then(graph, sumOfConvolutions({ graph, variable }, x))
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

/** @returns means of a leaky ReLU after a convolution with a bias and another one, whose shapes TensorFlow knows */
async function meansAsSaved (t: Test, activate: (graph: Graph, sum: Output) => Output): Promise<number[]> {
  const directory = t.testdir()
  await writeTinyModel(directory, ({ graph, variable }) => {
    const x = graph.placeholder('float32', [-1], 'x')
    const pixels = graph.apply('Reshape', [x, graph.ints([-1, 6, 5, 4])])
    const activated = activate(graph, sumOfConvolutions({ graph, variable }, pixels))
    return { serving_default: { inputs: { x }, outputs: { y: graph.apply('Mean', [activated, graph.ints([1, 2])]) } } }
  })
  const { y } = await (await load(t, directory)).run('serving_default', { x: floats([240], variedNumbers(240)) })
  return Array.from(y!.data as Float32Array)
}

for (const alpha of [0.1, 0.2, 0.7, 1.5]) {
  t.test(`a model as it was saved keeps the slope ${alpha} too`, async t => {
    const byHand = await meansAsSaved(t, (graph, sum) => graph.apply('AddV2', [graph.apply('Relu', [sum]), graph.apply('Mul', [graph.scalar('float32', -alpha), graph.apply('Relu', [graph.apply('Neg', [sum])])])]))
    for (const between of ['nothing', 'an Identity']) {
      const found = await meansAsSaved(t, (graph, sum) => graph.apply('LeakyRelu', [between === 'nothing' ? sum : graph.apply('Identity', [sum])], { alpha }))
      t.ok(found.every((mean, index) => Math.abs(mean - byHand[index]!) < 1e-5), between, { found, byHand })
    }
  })
}
