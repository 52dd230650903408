import { FLOAT32, ofType } from './attribute-values.ts'
import type { GraphRewrite } from './graph-rewrite.ts'
import { operationName } from './operation-name.ts'
import type { NodeDef } from './proto/tensorflow_pb.js'

/**
 * Where a convolution does a sum and the leaky ReLU after it along, TensorFlow 2.21 forgets the slope and takes its own, 0.2. It lets the convolution do so where it
 * knows both sides of the sum to be of one shape.
 */
const SLOPE = 0.2
const SUMS = new Set(['Add', 'AddV2', 'AddN'])

/** Puts the greater of `x` and `slope · x` in the place of a leaky ReLU after a sum. */
export function keepSlopes (scope: GraphRewrite): void {
  if (scope.hasFrames) return
  for (const node of scope.nodes) {
    const slope = slopeOf(node)
    if (!isForgotten(slope) || node.attr['T']?.type !== FLOAT32 || node.input.length > 1 || !SUMS.has(scope.maker(node.input[0])?.op ?? '')) continue // more inputs are control inputs
    const [x, numbers] = [node.input[0]!, { T: ofType(FLOAT32) }]
    const sloping = scope.add(`${node.name}/sloping`, 'Mul', [x, scope.addConstant(`${node.name}/slope`, FLOAT32, slope)], numbers)
    scope.replace(node, slope > 1 ? 'Minimum' : 'Maximum', [x, sloping], numbers)
  }
}

/** An operation, as far as this goes. */
export interface Sloping {
  readonly type: string
  readonly inputs: readonly string[]
  /** Of a leaky ReLU. */
  readonly slope: number | undefined
}

/** @param operations of a graph or of a function's body, by name. @returns whether TensorFlow may forget the slope of one of them, if it is let */
export function mayForgetSlopes (operations: ReadonlyMap<string, Sloping>): boolean {
  return [...operations.values()].some(({ slope, inputs }) => isForgotten(slope) && isSum(inputs[0], operations))
}

/** @returns undefined for what is no leaky ReLU */
export function slopeOf ({ op, attr }: Pick<NodeDef, 'op' | 'attr'>): number | undefined {
  return op === 'LeakyRelu' ? attr['alpha']?.f ?? SLOPE : undefined
}

function isForgotten (slope: number | undefined): slope is number {
  return slope !== undefined && slope !== Math.fround(SLOPE) && slope !== SLOPE
}

/** Also by way of operations that change nothing. */
function isSum (input: string | undefined, operations: ReadonlyMap<string, Sloping>): boolean {
  const made = input === undefined ? undefined : operations.get(operationName(input))
  if (made?.type === 'Identity') return isSum(made.inputs[0], operations)
  return SUMS.has(made?.type ?? '')
}
