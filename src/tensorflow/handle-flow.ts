import type { FunctionParts, GraphParts, Part } from './graph-parts.ts'
import { operationName } from './operation-name.ts'

/** A graph or a function's body, in which tensors are named. */
export interface Scope {
  readonly nodes: ReadonlyMap<string, Part>
  /** Of a function: for each argument by name, the type of the variable whose handle comes in, if one does. */
  readonly variables: ReadonlyMap<string, number | undefined>
}

/** Operations of TensorFlow 1 and 2 whose first output is a variable. */
export const VARIABLES = new Set(['VarHandleOp', 'VariableV2', 'Variable'])

/** Give on what comes in: every output is one of the inputs. */
export const PASSING = new Set(['Identity', 'Enter', 'Exit', 'Switch', '_SwitchN', 'Merge', 'NextIteration'])

export const LOOPS = new Set(['While', 'StatelessWhile'])

/** Follows the handles of a graph's variables through operations, functions and loops. */
export class HandleFlow {
  readonly #functions: ReadonlyMap<string, FunctionParts>

  constructor ({ functions }: GraphParts) {
    this.#functions = functions
  }

  /**
   * The DataType of the variable whose handle a tensor is.
   *
   * @param input as a node names it: `name`, `name:1`, in a function also `argument` or `name:output:1`
   * @returns undefined for every other tensor
   */
  dtype (scope: Scope, input: string): number | undefined {
    if (scope.variables.has(input)) return scope.variables.get(input)
    const [name = '', ...place] = input.split(':')
    const part = scope.nodes.get(name)
    if (part === undefined) return undefined
    const { node } = part
    if (node.op === 'VarHandleOp') return node.attr['dtype']?.type
    if (PASSING.has(node.op)) return this.#dtypeOf(scope, node.input.find(from => scope.nodes.get(operationName(from))?.node.op !== 'NextIteration'))
    if (LOOPS.has(node.op)) return this.#dtypeOf(scope, node.input[Number(place.at(-1) ?? 0)])
    return this.#returned(scope, part, Number(place.at(-1) ?? 0))
  }

  /** A function's scope when these come in. @param dtypes of the variables whose handles its arguments are */
  inside (name: string, dtypes: readonly (number | undefined)[]): Scope {
    const { nodes, definition } = this.#functions.get(name)!
    return { nodes, variables: new Map((definition.signature?.inputArg ?? []).map((argument, index) => [argument.name, dtypes[index]])) }
  }

  /** What the function gives as one of its outputs. @see dtype */
  returns (name: string, dtypes: readonly (number | undefined)[], index: number): number | undefined {
    const { signature, ret } = this.#functions.get(name)!.definition
    return this.#dtypeOf(this.inside(name, dtypes), ret[signature?.outputArg[index]?.name ?? ''])
  }

  #dtypeOf (scope: Scope, input: string | undefined): number | undefined {
    return input === undefined ? undefined : this.dtype(scope, input)
  }

  #returned (scope: Scope, { node }: Part, index: number): number | undefined {
    const called = CALLS[node.op]
    const name = called === undefined ? node.op : firstFunction(node, called.functions)
    if (name === undefined || !this.#functions.has(name)) return undefined
    const dtypes = node.input.slice(called?.first ?? 0).map(input => this.dtype(scope, input))
    return dtypes.some(dtype => dtype !== undefined) ? this.returns(name, dtypes, index) : undefined
  }
}

interface Call {
  /** The attribute that names the function or functions called. */
  readonly functions: string
  /** The first of the inputs that go to the function. */
  readonly first: number
  /** Attributes that list the types of these inputs and of the outputs. */
  readonly inputTypes: string
  readonly outputTypes: string
}

const FUNCTION_CALL: Call = { functions: 'f', first: 0, inputTypes: 'Tin', outputTypes: 'Tout' }
const CONDITION: Call = { functions: 'then_branch', first: 1, inputTypes: 'Tin', outputTypes: 'Tout' }
const CASE: Call = { functions: 'branches', first: 1, inputTypes: 'Tin', outputTypes: 'Tout' }
const LOOP: Call = { functions: 'body', first: 0, inputTypes: 'T', outputTypes: 'T' }

/** Operations that hand their inputs to functions, one argument each. */
export const CALLS: Readonly<Record<string, Call>> = {
  PartitionedCall: FUNCTION_CALL,
  StatefulPartitionedCall: FUNCTION_CALL,
  If: CONDITION,
  StatelessIf: CONDITION,
  Case: CASE,
  StatelessCase: CASE,
  While: LOOP,
  StatelessWhile: LOOP
}

function firstFunction ({ attr }: Part['node'], name: string): string | undefined {
  return attr[name]?.func?.name ?? attr[name]?.list?.func[0]?.name
}
