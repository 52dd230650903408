import { floats, Graph, Session, writeSavedModel, type Output, type TensorValue } from '../../src/tensorflow/index.ts'

/** Sets variables from values and saves; what most tests need of a model. */
export interface TinyModel {
  graph: Graph
  variable: (name: string, value: TensorValue) => Output
}

export type Signatures = Parameters<typeof writeSavedModel>[1]['signatures']

/** Writes a real SavedModel built by `build`, in a session of its own. */
export async function writeTinyModel (directory: string, build: (model: TinyModel) => Signatures): Promise<void> {
  const graph = new Graph()
  const session = new Session(graph)
  const variables: ReturnType<Graph['variable']>[] = []
  const values: TensorValue[] = []
  const signatures = build({
    graph,
    variable (name, value) {
      const variable = graph.variable(name, value.dtype, value.shape)
      variables.push(variable)
      values.push(value)
      return variable.read()
    }
  })
  for (const [index, variable] of variables.entries()) {
    const fed = graph.placeholder(variable.dtype, variable.shape)
    await session.run({ feeds: [[fed, values[index]!]], targets: [variable.assign(fed)] })
  }
  await writeSavedModel(directory, { graph, session, variables, signatures })
  await session.close()
  graph.dispose()
}

/** y = factor · x + 2 for rows of any number of floats: TensorFlow Serving's own example. */
export async function writeHalfPlusTwo (directory: string, factor = 0.5): Promise<void> {
  await writeTinyModel(directory, ({ graph, variable }) => {
    const x = graph.placeholder('float32', [-1], 'x')
    const y = graph.apply('AddV2', [graph.apply('Mul', [x, variable('a', floats([], [factor]))]), variable('b', floats([], [2]))], {}, { name: 'y' })
    return { serving_default: { inputs: { x }, outputs: { y } } }
  })
}

/** uint8 images [N, side, side, 3] → probabilities of three classes: the shares of red, green and blue. */
export async function writeColourClassifier (directory: string, side = 8): Promise<void> {
  await writeTinyModel(directory, ({ graph, variable }) => {
    const pixels = graph.placeholder('uint8', [-1, side, side, 3], 'pixels')
    const scaled = graph.apply('Mul', [graph.apply('Cast', [pixels], { DstT: 'float32' }), variable('scale', floats([], [1 / 255]))])
    const mean = graph.apply('Mean', [scaled, graph.ints([1, 2])])
    const probabilities = graph.apply('Softmax', [graph.apply('Mul', [mean, graph.scalar('float32', 4)])], {}, { name: 'probabilities' })
    return { serving_default: { inputs: { pixels }, outputs: { probabilities } } }
  })
}
