import { FLOAT32 } from './attribute-values.ts'
import type { FunctionParts } from './graph-parts.ts'
import { GraphRewrite } from './graph-rewrite.ts'
import { operationName } from './operation-name.ts'
import type { NodeDef } from './proto/tensorflow_pb.js'

/** Weights that a loop is given: themselves, or the handle of their variable. */
export interface LoopWeights { readonly place: number, readonly isHandle: boolean }

/** What a loop does in each step, by the places of its tensors: a step of an LSTM, and nothing else. */
export interface LstmStep {
  /** Are one higher after each step. */
  readonly counters: readonly number[]
  /** The list that a step takes its input from. */
  readonly inputs: number
  /** The list that it puts its output in. */
  readonly outputs: number
  /** Each has a place of its own there; else the last one remains. */
  readonly keepsAll: boolean
  readonly h: number
  readonly c: number
  /** [inputs, 4 · units], gates in the order of input, forget, cell, output. */
  readonly kernel: LoopWeights
  /** [units, 4 · units] */
  readonly recurrent: LoopWeights
  readonly bias: LoopWeights
}

/** @param body of a loop @returns undefined if it does anything else @see keras.layers.LSTMCell */
export function lstmStep (body: FunctionParts): LstmStep | undefined {
  return new StepReader(body).read()
}

/** A number that a counter of a loop has to be below for it to go on, or the place in the loop where it stands. */
export type Bound = { readonly value: number } | { readonly place: number }

/** @param condition of a loop @returns undefined if it goes on by anything else than counters that are below their bounds */
export function boundsOf (condition: FunctionParts, counters: readonly number[]): Bound[] | undefined {
  const reader = new Reader(condition)
  const [result] = reader.results
  return result === undefined ? undefined : readBounds(reader, result, counters)
}

function readBounds (reader: Reader, tensor: string, counters: readonly number[]): Bound[] | undefined {
  const node = reader.node(tensor)
  if (node?.op === 'LogicalAnd') {
    const [a, b] = node.input.map(input => readBounds(reader, input, counters))
    return a && b && [...a, ...b]
  }
  if (node?.op !== 'Less' || !counters.includes(reader.place(node.input[0]!))) return undefined
  const [value] = reader.integers(node.input[1]!) ?? []
  if (value !== undefined) return [{ value }]
  const place = reader.place(node.input[1]!)
  return place < 0 ? undefined : [{ place }]
}

/** A function's operations, those left out that only give on what they get. */
class Reader {
  /** What it gives, in order. */
  readonly results: readonly string[]
  readonly #arguments: readonly string[]
  readonly #nodes: FunctionParts['nodes']
  readonly #scope: GraphRewrite

  constructor ({ definition, nodes }: FunctionParts) {
    this.#nodes = nodes
    this.#scope = new GraphRewrite(nodes, [])
    this.#arguments = (definition.signature?.inputArg ?? []).map(({ name }) => name)
    this.results = (definition.signature?.outputArg ?? []).map(({ name }) => this.origin(definition.ret[name] ?? ''))
  }

  /** Where a tensor is made. */
  origin (tensor: string): string {
    const node = this.#made(tensor)
    return node?.op === 'Identity' ? this.origin(node.input[0]!) : tensor
  }

  /** The operation that makes it. */
  node (tensor: string): NodeDef | undefined {
    return this.#made(this.origin(tensor))
  }

  /** Which argument it is; −1: none. */
  place (tensor: string): number {
    return this.#arguments.indexOf(this.origin(tensor))
  }

  integers (tensor: string): number[] | undefined {
    return this.#scope.integers(this.origin(tensor))
  }

  /** The inputs of an operation of two, if the first is what `isFirst` says, or the second: then the other way round. */
  pair (node: NodeDef | undefined, op: string, isFirst: (tensor: string) => boolean): [string, string] | undefined {
    if (node?.op !== op || node.input.length < 2) return undefined
    const [a, b] = node.input.map(input => this.origin(input)) as [string, string]
    if (isFirst(a)) return [a, b]
    return isFirst(b) ? [b, a] : undefined
  }

  #made (tensor: string): NodeDef | undefined {
    return this.#nodes.get(operationName(tensor))?.node
  }
}

class StepReader extends Reader {
  read (): LstmStep | undefined {
    const counters = this.#places((tensor, place) => this.#isCounter(tensor, place))
    const written = this.#written(counters)
    if (written === undefined) return undefined
    const { outputs, keepsAll, output } = written
    const state = this.#state(output)
    if (state === undefined) return undefined
    const { h, c } = state
    const gates = this.#gates(state)
    const weights = gates === undefined ? undefined : this.#weights(gates, h, counters)
    const changed = [...counters, outputs, h, c]
    const staysElse = this.results.every((tensor, place) => changed.includes(place) || this.place(tensor) === place)
    return weights && staysElse ? { counters, outputs, keepsAll, h, c, ...weights } : undefined
  }

  #places (is: (tensor: string, place: number) => boolean): number[] {
    return this.results.flatMap((tensor, place) => is(tensor, place) ? [place] : [])
  }

  #isCounter (tensor: string, place: number): boolean {
    const added = this.pair(this.node(tensor), 'AddV2', tensor => this.place(tensor) === place)
    return added !== undefined && this.integers(added[1])?.join() === '1'
  }

  #isGrown (tensor: string, place: number): boolean {
    const node = this.node(tensor)
    return node?.op === 'TensorListSetItem' && this.place(node.input[0]!) === place
  }

  /** What is put in the only list that grows. */
  #written (counters: readonly number[]): { outputs: number, keepsAll: boolean, output: string } | undefined {
    const [outputs, ...others] = this.#places((tensor, place) => this.#isGrown(tensor, place))
    if (outputs === undefined || others.length > 0) return undefined
    const [, index, output] = this.node(this.results[outputs]!)!.input as [string, string, string]
    const keepsAll = counters.includes(this.place(index))
    return keepsAll || this.integers(index)?.join() === '0' ? { outputs, keepsAll, output: this.origin(output) } : undefined
  }

  /** h′ = σ(o) · tanh(c′). */
  #state (output: string): { h: number, c: number, cell: string, gate: string } | undefined {
    const [gate = '', activated = ''] = this.pair(this.node(output), 'Mul', tensor => this.node(tensor)?.op === 'Sigmoid') ?? []
    const cell = this.#activated(activated, 'Tanh') ?? ''
    const [h, c] = [output, cell].map(tensor => this.results.indexOf(tensor)) as [number, number]
    return h < 0 || c < 0 ? undefined : { h, c, cell, gate }
  }

  /** c′ = σ(f) · c + σ(i) · tanh(g). @returns what is split into i, f, g and o */
  #gates ({ cell, gate, c }: { cell: string, gate: string, c: number }): string | undefined {
    const forgotten = (tensor: string): [string, string] | undefined => this.pair(this.node(tensor), 'Mul', factor => this.place(factor) === c)
    const [kept = '', rest = ''] = this.pair(this.node(cell), 'AddV2', tensor => forgotten(tensor) !== undefined) ?? []
    const [input = '', candidate = ''] = this.pair(this.node(rest), 'Mul', factor => this.node(factor)?.op === 'Sigmoid') ?? []
    const parts = [this.#activated(input, 'Sigmoid'), this.#activated(forgotten(kept)?.[1] ?? '', 'Sigmoid'), this.#activated(candidate, 'Tanh'), this.#activated(gate, 'Sigmoid')]
    return this.#splitInOrder(parts)
  }

  /** What is split into these four, in their order. */
  #splitInOrder (parts: readonly (string | undefined)[]): string | undefined {
    const split = this.node(parts[0] ?? '')
    return split !== undefined && this.#isSplitInFour(split) && parts.every((part, index) => part === `${split.name}:output:${index}`) ? this.origin(split.input[1]!) : undefined
  }

  #isSplitInFour ({ op, attr, input }: NodeDef): boolean {
    const [axis] = this.integers(input[0] ?? '') ?? []
    return op === 'Split' && attr['T']?.type === FLOAT32 && Number(attr['num_split']?.i) === 4 && (axis === 1 || axis === -1)
  }

  #activated (tensor: string, op: string): string | undefined {
    const node = this.node(tensor)
    return node?.op === op ? this.origin(node.input[0]!) : undefined
  }

  /** x · kernel + h · recurrent + bias, added in any order. */
  #weights (gates: string, h: number, counters: readonly number[]): Pick<LstmStep, 'inputs' | 'kernel' | 'recurrent' | 'bias'> | undefined {
    const terms = this.#terms(gates)
    const products = terms.flatMap(tensor => this.#product(tensor) ?? [])
    const recurrent = products.find(({ left }) => this.place(left) === h)?.weights
    const [kernel, inputs] = products.map(({ left, weights }) => [weights, this.#listRead(left, counters)] as const).find(([, place]) => place >= 0) ?? []
    const bias = terms.map(tensor => this.#given(tensor)).find(given => given !== undefined)
    return terms.length === 3 && kernel && recurrent && bias ? { inputs: inputs!, kernel, recurrent, bias } : undefined
  }

  /** A product with weights. */
  #product (tensor: string): { left: string, weights: LoopWeights } | undefined {
    const node = this.node(tensor)
    if (node?.op !== 'MatMul' || node.attr['transpose_a']?.b === true || node.attr['transpose_b']?.b === true) return undefined
    const weights = this.#given(node.input[1]!)
    return weights && { left: node.input[0]!, weights }
  }

  /** The place of the list whose next item a tensor is; −1: of none. */
  #listRead (tensor: string, counters: readonly number[]): number {
    const node = this.node(tensor)
    return node?.op === 'TensorListGetItem' && counters.includes(this.place(node.input[1]!)) ? this.place(node.input[0]!) : -1
  }

  #terms (tensor: string): string[] {
    const node = this.node(tensor)
    return node?.op === 'AddV2' || node?.op === 'BiasAdd' ? node.input.slice(0, 2).flatMap(input => this.#terms(input)) : [this.origin(tensor)]
  }

  /** Weights that stay the same from step to step. */
  #given (tensor: string): LoopWeights | undefined {
    const node = this.node(tensor)
    const isHandle = node?.op === 'ReadVariableOp'
    const place = this.place(isHandle ? node.input[0]! : tensor)
    return place < 0 || this.place(this.results[place]!) !== place ? undefined : { place, isHandle }
  }
}
