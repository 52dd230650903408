import type tf from '@tensorflow/tfjs'
import { Graph, Session, type Output, type TensorValue, type Variable } from '../tensorflow/index.ts'
import type { ImageBase } from './image-base.ts'
import { lowerModel } from './lowering/lower-model.ts'
import { ModelVariables } from './lowering/model-variables.ts'
import { built } from './model-inputs.ts'
import { closePredictor, type Predictor } from './predictor.ts'
import { assignVariables, readVariables } from './variable-values.ts'

/**
 * Puts a head on its base: one graph from pixels to the head's outputs, with the variables of both.
 *
 * @param head a model whose only input is the base's features
 * @param values the head's, in the order of its weights, as `Trainer.values` gives them
 */
export async function buildTransferPredictor (base: ImageBase, head: tf.LayersModel, values: readonly (readonly [unknown, TensorValue])[]): Promise<Predictor> {
  built(head)
  const graph = new Graph()
  const { height, width, channels } = base.contract
  const pixels = graph.placeholder('uint8', [-1, height, width, channels], 'pixels')
  const imported = importBase(graph, base, pixels)
  const variables = new ModelVariables(graph, head, { prefix: 'head' })
  const { outputs } = lowerModel(graph, head, { inputs: [imported.features], variables, prefix: 'head' })
  const session = new Session(graph)
  try {
    const headVariables = variables.all.map(({ variable }) => variable)
    await assignVariables(graph, session, [...headVariables.map((variable, index) => [variable, values[index]![1]] as const), ...variables.keptAtFirst()])
    await copyBase(graph, session, base, imported.variables)
    return {
      graph,
      session,
      variables: [...imported.variables, ...headVariables, ...variables.kept],
      inputs: { pixels },
      outputs: Object.fromEntries(head.outputNames.map((name, index) => [name, outputs[index]!]))
    }
  } catch (error) {
    await closePredictor({ graph, session })
    throw error
  }
}

const PREFIX = 'base'

/** Only what the features depend on; the base's own classes stay behind. */
function importBase (graph: Graph, base: ImageBase, pixels: Output): { features: Output, variables: Variable[] } {
  graph.importGraphDef(base.model.graph.toGraphDef(), { prefix: PREFIX, inputMap: { [base.inputTensor]: pixels }, outputs: [base.outputTensor] })
  const names = [...graph.operations()].filter(({ type }) => type === 'VarHandleOp').map(({ name }) => name)
  return { features: graph.output(`${PREFIX}/${base.outputTensor}`)!, variables: names.map(name => graph.existingVariable(name)) }
}

async function copyBase (graph: Graph, session: Session, base: ImageBase, variables: readonly Variable[]): Promise<void> {
  const originals = variables.map(({ name }) => base.model.graph.existingVariable(name.slice(PREFIX.length + 1)))
  const values = await readVariables(base.model.session, originals)
  await assignVariables(graph, session, variables.map((variable, index) => [variable, values[index]![1]] as const))
}
