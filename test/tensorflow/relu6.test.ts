import t, { type Test } from 'tap'
import { floats, loadLibrary, type Graph, type Output } from '../../src/tensorflow/index.ts'
import { typesOnceFrozen } from '../support/frozen-models.ts'
import { writeTinyModel } from '../support/saved-models.ts'

loadLibrary()

/** Of numbers between −10 and 10. Answers frozen have to be those as it was saved. @returns the types of the frozen graph's operations */
async function frozenTypes (t: Test, between: (graph: Graph, x: Output) => Output): Promise<Record<string, number>> {
  const directory = t.testdir()
  await writeTinyModel(directory, ({ graph, variable }) => {
    const x = graph.placeholder('float32', [-1, 40], 'x')
    return { serving_default: { inputs: { x }, outputs: { y: between(graph, graph.apply('Mul', [x, variable('ten', floats([], [10]))])) } } }
  })
  return await typesOnceFrozen(t, directory)
}

const number = (graph: Graph, value: number): Output => graph.constant(floats([], [value]))

const same: Record<string, (graph: Graph, x: Output) => Output> = {
  'the lesser of a ReLU and 6': (graph, x) => graph.apply('Minimum', [graph.apply('Relu', [x]), number(graph, 6)]),
  'the lesser of 6 and a ReLU': (graph, x) => graph.apply('Minimum', [number(graph, 6), graph.apply('Relu', [x])]),
  'the lesser of 6 and the greater of 0': (graph, x) => graph.apply('Minimum', [graph.apply('Maximum', [x, number(graph, 0)]), number(graph, 6)]),
  'the greater of 0 and the lesser of 6': (graph, x) => graph.apply('Maximum', [graph.apply('Minimum', [x, number(graph, 6)]), number(graph, 0)]),
  'what is clipped to 0 and 6': (graph, x) => graph.apply('ClipByValue', [x, number(graph, 0), number(graph, 6)])
}

for (const [name, between] of Object.entries(same)) {
  t.test(`${name} is a ReLU6`, async t => { t.match(await frozenTypes(t, between), { Relu6: 1 }) })
}

const others: Record<string, (graph: Graph, x: Output) => Output> = {
  'the lesser of a ReLU and 5': (graph, x) => graph.apply('Minimum', [graph.apply('Relu', [x]), number(graph, 5)]),
  'the lesser of a number and 6': (graph, x) => graph.apply('Minimum', [x, number(graph, 6)]),
  'the greater of 1 and the lesser of 6': (graph, x) => graph.apply('Maximum', [graph.apply('Minimum', [x, number(graph, 6)]), number(graph, 1)]),
  'what is clipped to −6 and 6': (graph, x) => graph.apply('ClipByValue', [x, number(graph, -6), number(graph, 6)]),
  'the lesser of a ReLU and sixes that make more of it': (graph, x) => graph.apply('Minimum', [graph.apply('Relu', [x]), graph.constant(floats([2, 1, 1], [6, 6]))])
}

for (const [name, between] of Object.entries(others)) {
  t.test(`${name} is not`, async t => { t.notMatch(await frozenTypes(t, between), { Relu6: Number }) })
}
