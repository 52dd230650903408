import { api } from './library.ts'
import type { Pointer } from './c-api.ts'
import { outputArray, type Output } from './operation.ts'
import { checked } from './status.ts'

/** A graph as the body of a function. */
interface FunctionBody {
  readonly graph: Pointer
  /** Placeholders of the graph. */
  readonly inputs: readonly Output[]
  readonly outputs: readonly Output[]
}

/** Every operation of the body counts. */
const ALL_OPERATIONS = -1

/**
 * Adds a function, and those that its body calls, to a graph.
 *
 * @returns its name, made of the one asked for and of a hash of its content: the same body added twice is one function
 */
export function defineFunction (graph: Pointer, name: string, { graph: body, inputs, outputs }: FunctionBody): string {
  const c = api()
  for (const inner of functionsOf(body)) addOwned(graph, inner)
  const made = checked(status => c.TF_GraphToFunction(body, name, 1, ALL_OPERATIONS, null, inputs.length, outputArray(inputs),
    outputs.length, outputArray(outputs), null, null, null, status))
  const unique = c.TF_FunctionName(made)
  addOwned(graph, made)
  return unique
}

/** The caller owns each of them. */
function functionsOf (graph: Pointer): Pointer[] {
  const found = new BigUint64Array(api().TF_GraphNumFunctions(graph))
  const count = checked(status => api().TF_GraphGetFunctions(graph, found, found.length, status))
  return Array.from(found.subarray(0, count))
}

/** Copies a function into a graph and frees it. */
function addOwned (graph: Pointer, func: Pointer): void {
  try {
    checked(status => { api().TF_GraphCopyFunction(graph, func, null, status) })
  } finally {
    api().TF_DeleteFunction(func)
  }
}
