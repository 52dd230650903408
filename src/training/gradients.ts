import { ancestors, type Graph, type Output } from '../tensorflow/index.ts'
import type { Scope } from './lowering/scope.ts'

/**
 * The gradient of a group of operations: given what comes in at each of its outputs, undefined where nothing does, what goes on to each of
 * its inputs, undefined where nothing does.
 */
export type Backward = (incoming: readonly (Output | undefined)[]) => readonly (Output | undefined)[]

/** Operations that TensorFlow does not differentiate itself. */
interface Group {
  readonly inputs: readonly Output[]
  readonly outputs: readonly Output[]
  readonly backward: Backward
}

/** By graph, each group after those that it depends on. */
const groups = new WeakMap<Graph, Group[]>()

/**
 * Gives a group of operations a gradient of its own, for operations that have none in TensorFlow's C++ (`BlockLSTMV2`, `While`) or one that is
 * slow or wrong there.
 *
 * @param inputs what gradients go on to: they must be all ways from a weight or an input of the model into the group
 * @returns the outputs, through which alone the rest of the graph may use the group
 */
export function withGradient (scope: Scope, inputs: readonly Output[], outputs: readonly Output[], backward: Backward): Output[] {
  const all = groups.get(scope.graph) ?? []
  groups.set(scope.graph, all)
  const sealed = outputs.map(output => scope.constantForGradients(output))
  all.push({ inputs, outputs: sealed, backward: given => backward(given).map((gradient, index) => gradient && scope.cast(gradient, inputs[index]!.dtype)) })
  return sealed
}

/**
 * Adds the operations that give ∂(Σ ys)/∂x for each x, through groups with a gradient of their own too.
 *
 * @param dys gradients that come in at `ys`, of their shapes; ones if left out
 * @returns for each x its gradient, undefined where no y depends on it
 * @throws TensorFlowError if an operation in between has no gradient, naming it
 */
export function gradients (graph: Graph, ys: readonly Output[], xs: readonly Output[], dys?: readonly Output[]): (Output | undefined)[] {
  let open = reached(groups.get(graph) ?? [], ys)
  if (open.length === 0) return graph.gradients(ys, xs, dys)
  const flow = new Flow(graph, [...xs, ...open.flatMap(({ outputs }) => outputs)])
  flow.send(ys, dys)
  while (open.length > 0) {
    const ready = open.filter(group => !open.some(other => other !== group && reached([group], other.inputs).length > 0))
    flow.through(ready)
    open = open.filter(group => !ready.includes(group))
  }
  return xs.map(x => flow.arrived(x))
}

function reached (among: readonly Group[], ys: readonly Output[]): Group[] {
  if (among.length === 0) return []
  const found = ancestors(ys)
  return among.filter(({ outputs }) => outputs.some(({ operation }) => found.has(operation.pointer)))
}

/** Gradients on their way: from where they were sent to the next tensors that are waited for. */
class Flow {
  readonly #graph: Graph
  readonly #targets: readonly Output[]
  readonly #arrived = new Map<string, Output[]>()

  constructor (graph: Graph, targets: readonly Output[]) {
    this.#graph = graph
    this.#targets = [...new Map(targets.map(target => [target.name, target])).values()]
  }

  send (ys: readonly Output[], dys?: readonly Output[]): void {
    if (ys.length === 0) return
    this.#graph.gradients(ys, this.#targets, dys).forEach((gradient, index) => {
      const { name } = this.#targets[index]!
      if (gradient !== undefined) this.#arrived.set(name, [...this.#arrived.get(name) ?? [], gradient])
    })
  }

  /** Lets groups that nothing more will come in at pass on what came. */
  through (ready: readonly Group[]): void {
    const sent = ready.flatMap(({ inputs, outputs, backward }) => {
      const incoming = outputs.map(output => this.arrived(output))
      if (incoming.every(gradient => gradient === undefined)) return []
      return backward(incoming).flatMap((gradient, index) => gradient === undefined ? [] : [[inputs[index]!, gradient] as const])
    })
    this.send(sent.map(([input]) => input), sent.map(([, gradient]) => gradient))
  }

  /** The sum of what has come so far. */
  arrived (x: Output): Output | undefined {
    const parts = this.#arrived.get(x.name) ?? []
    return parts.length < 2 ? parts[0] : this.#graph.apply('AddN', [parts])
  }
}
