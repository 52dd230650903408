import type tf from '@tensorflow/tfjs'
import { Graph, Session, writeSavedModel, type Output, type TensorValue, type Variable } from '../tensorflow/index.ts'
import { lowerModel } from './lowering/lower-model.ts'
import { ModelVariables } from './lowering/model-variables.ts'
import { addInputs, built, type InputTypes } from './model-inputs.ts'
import { assignVariables } from './variable-values.ts'

/** A graph that only predicts: what a version consists of. Owned by its maker: `close` it. */
export interface Predictor {
  readonly graph: Graph
  readonly session: Session
  readonly variables: readonly Variable[]
  readonly inputs: Readonly<Record<string, Output>>
  readonly outputs: Readonly<Record<string, Output>>
}

/**
 * Lowers a model once more, without any of training's operations, and gives it learned values.
 *
 * @param values in the order of the model's weights, as `Trainer.values` gives them
 */
export async function buildPredictor (model: tf.LayersModel, values: readonly (readonly [unknown, TensorValue])[], inputTypes: InputTypes = {}): Promise<Predictor> {
  built(model)
  const graph = new Graph()
  const placeholders = addInputs(graph, model, inputTypes)
  const variables = new ModelVariables(graph, model)
  const { outputs } = lowerModel(graph, model, { inputs: placeholders, variables })
  const session = new Session(graph)
  try {
    const all = variables.all.map(({ variable }) => variable)
    await assignVariables(graph, session, [...all.map((variable, index) => [variable, values[index]![1]] as const), ...variables.keptAtFirst()])
    return { graph, session, variables: [...all, ...variables.kept], inputs: named(model.inputNames, placeholders), outputs: named(model.outputNames, outputs) }
  } catch (error) {
    await closePredictor({ graph, session })
    throw error
  }
}

/** Runs the model as a server would. @param inputs by the signature's names */
export async function predict ({ session, inputs, outputs }: Predictor, values: Readonly<Record<string, TensorValue>>): Promise<Record<string, TensorValue>> {
  const feeds = Object.entries(values).map(([name, value]) => [inputs[name]!, value] as const)
  const found = await session.run({ feeds, fetches: Object.values(outputs) })
  return named(Object.keys(outputs), found)
}

/** Writes the SavedModel, with one signature `serving_default`. @param assets name in `assets/` → path */
export async function savePredictor (directory: string, predictor: Predictor, assets: Readonly<Record<string, string>> = {}): Promise<void> {
  const { graph, session, variables, inputs, outputs } = predictor
  await writeSavedModel(directory, { graph, session, variables, signatures: { serving_default: { inputs, outputs } }, assets })
}

export async function closePredictor ({ graph, session }: Pick<Predictor, 'graph' | 'session'>): Promise<void> {
  await session.close()
  graph.dispose()
}

function named<Item> (names: readonly string[], items: readonly Item[]): Record<string, Item> {
  return Object.fromEntries(names.map((name, index) => [name, items[index]!]))
}
