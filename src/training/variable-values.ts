import type { Graph, Operation, Output, Session, TensorValue, Variable } from '../tensorflow/index.ts'

interface Assignment { value: Output, assign: Operation }

const assignments = new WeakMap<Variable, Assignment>()

/**
 * Gives variables their values in one run. The values are fed, so that none of them becomes part of the graph.
 *
 * @throws TensorFlowError if a value does not fit its variable
 */
export async function assignVariables (graph: Graph, session: Session, values: readonly (readonly [Variable, TensorValue])[]): Promise<void> {
  if (values.length === 0) return // TensorFlow refuses a run without a target
  const all = values.map(([variable, value]) => ({ ...assignmentOf(graph, variable), fed: value }))
  await session.run({ feeds: all.map(({ value, fed }) => [value, fed] as const), targets: all.map(({ assign }) => assign) })
}

/** A variable that is filled with one number at first. */
export interface FilledVariable {
  readonly variable: Variable
  readonly initial: number
}

/** Gives variables their first number. @param variables float32 or int32 */
export async function fillVariables (graph: Graph, session: Session, variables: readonly FilledVariable[]): Promise<void> {
  if (variables.length === 0) return
  const targets = variables.map(({ variable, initial }) => variable.assign(graph.apply('Fill', [graph.ints(variable.shape), graph.scalar(variable.dtype as 'float32' | 'int32', initial)])))
  await session.run({ targets })
}

export async function readVariables (session: Session, variables: readonly Variable[]): Promise<[Variable, TensorValue][]> {
  if (variables.length === 0) return []
  const values = await session.run({ fetches: variables.map(variable => variable.read()) })
  return variables.map((variable, index) => [variable, values[index]!])
}

/** Made once for each variable, so that the graph does not grow with each use. */
function assignmentOf (graph: Graph, variable: Variable): Assignment {
  const known = assignments.get(variable)
  if (known !== undefined) return known
  const value = graph.placeholder(variable.dtype, variable.shape)
  const assignment = { value, assign: variable.assign(value) }
  assignments.set(variable, assignment)
  return assignment
}
