import type { DType } from './dtype.ts'
import type { Graph } from './graph.ts'
import type { Operation, Output } from './operation.ts'

/** A variable of a graph: the value is the session's, the graph holds its handle. @see Graph.variable */
export class Variable {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /** Tensor of type `resource`, as TensorFlow's optimizers and gathers take it. */
  readonly handle: Output
  readonly #graph: Graph
  readonly #readAfter: readonly Operation[]
  #read: Output | undefined

  constructor (graph: Graph, name: string, dtype: DType, shape: readonly number[], handle: Output, readAfter?: Operation) {
    this.#graph = graph
    this.#readAfter = readAfter === undefined ? [] : [readAfter]
    this.name = name
    this.dtype = dtype
    this.shape = shape
    this.handle = handle
  }

  /** The value at the time of the run; the same operation each time, so that gradients have one place to go. */
  read (): Output {
    this.#read ??= this.#graph.apply('ReadVariableOp', [this.handle], { dtype: this.dtype }, { name: `${this.name}/read`, controlInputs: this.#readAfter })
    return this.#read
  }

  /** An operation that sets the value when it runs. */
  assign (value: Output): Operation {
    return this.#graph.op('AssignVariableOp', [this.handle, value], { dtype: this.dtype })
  }
}
