import { Graph, type DType, type Output } from '../../tensorflow/index.ts'
import { Scope, shapeOf } from './scope.ts'

/** What goes around a loop, by names that say what for: counters, states, lists, weights. */
export type Carried<Name extends string> = Readonly<Record<Name, readonly Output[]>>

export interface LoopParts<Name extends string> {
  /** A bool scalar: whether to go around once more. */
  readonly condition: (scope: Scope, carried: Carried<Name>) => Output
  /** @returns what changes; of the same number, types and shapes as before */
  readonly body: (scope: Scope, carried: Carried<Name>) => Partial<Carried<Name>>
}

/**
 * TensorFlow's `While`. It has no gradient of its own. @see scan
 *
 * @returns what is carried at the end
 */
export function loop<Name extends string> (scope: Scope, name: string, start: Carried<Name>, { condition, body }: LoopParts<Name>): Carried<Name> {
  const all = flat(start)
  const define = (part: string, fill: (scope: Scope, carried: Carried<Name>) => readonly Output[]): string => {
    const graph = new Graph()
    try {
      const inputs = all.map((output, index) => graph.placeholder(output.dtype, shapeOf(output), `carried_${index}`))
      return scope.graph.defineFunction(`${name}_${part}`, graph, inputs, fill(new Scope(graph, name), named(inputs, start)))
    } finally {
      graph.dispose()
    }
  }
  const functions = {
    cond: define('condition', (inner, carried) => [condition(inner, carried)]),
    body: define('body', (inner, carried) => flat({ ...carried, ...body(inner, carried) }))
  }
  const operation = scope.operation('StatelessWhile', [all], { ...functions, _lower_using_switch_merge: true })
  return named(all.map((_, index) => operation.output(index)), start)
}

function flat<Name extends string> (carried: Carried<Name>): Output[] {
  return Object.values<readonly Output[]>(carried).flat()
}

/** A flat list under the names, and of the lengths, of a pattern. */
function named<Name extends string> (items: readonly Output[], pattern: Carried<Name>): Carried<Name> {
  let at = 0
  const groups = Object.entries<readonly Output[]>(pattern).map(([name, { length }]) => {
    at += length
    return [name, items.slice(at - length, at)]
  })
  return Object.fromEntries(groups) as Carried<Name>
}

/** Type and shape of a list's elements. */
export interface Element { readonly dtype: DType, readonly shape: readonly number[] }

/** A tensor like this one as an element. */
export function elementLike (x: Output): Element {
  return { dtype: x.dtype, shape: shapeOf(x) }
}

/** One slice of this one along its first axis as an element. */
export function sliceOf (x: Output): Element {
  return { dtype: x.dtype, shape: shapeOf(x).slice(1) }
}

/** A list of as many elements as `count` says, int32 scalar, still to be set. */
export function emptyList (scope: Scope, { dtype, shape }: Element, count: Output): Output {
  return scope.op('TensorListReserve', [scope.ints(shape), count], { element_dtype: dtype })
}

/** The slices of a tensor along its first axis. */
export function listOfSlices (scope: Scope, x: Output): Output {
  return scope.op('TensorListFromTensor', [x, scope.ints(sliceOf(x).shape)])
}

export function listItem (scope: Scope, list: Output, index: Output, { dtype, shape }: Element): Output {
  return scope.op('TensorListGetItem', [list, index, scope.ints(shape)], { element_dtype: dtype })
}

export function withItem (scope: Scope, list: Output, index: Output, value: Output): Output {
  return scope.op('TensorListSetItem', [list, index, value])
}

/** [count, …] */
export function stackList (scope: Scope, list: Output, { dtype, shape }: Element): Output {
  return scope.op('TensorListStack', [list, scope.ints(shape)], { element_dtype: dtype })
}
