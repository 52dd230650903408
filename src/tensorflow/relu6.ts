import { FLOAT32, ofType } from './attribute-values.ts'
import type { GraphRewrite } from './graph-rewrite.ts'
import type { NodeDef } from './proto/tensorflow_pb.js'

/** Numbers that are kept between 0 and 6 by several operations are so by `Relu6` alone, which TensorFlow does along with the convolution before. */
export function useRelu6 (scope: GraphRewrite): void {
  for (const node of scope.nodes) {
    const x = node.attr['T']?.type === FLOAT32 ? keptBetween0And6(scope, node) : undefined
    if (x !== undefined) scope.replace(node, 'Relu6', [x], { T: ofType(FLOAT32) })
  }
}

/** What an operation keeps so, if it does. */
function keptBetween0And6 (scope: GraphRewrite, node: NodeDef): string | undefined {
  const [x, least, most, ...more] = node.input
  if (node.op === 'ClipByValue') return scope.scalar(least) === 0 && scope.scalar(most) === 6 && more.length === 0 ? x : undefined
  if (node.op === 'Minimum') return keptAbove0(scope, scope.maker(beside(scope, node, 6)))
  if (node.op !== 'Maximum') return undefined
  const below = scope.maker(beside(scope, node, 0))
  return below?.op === 'Minimum' ? beside(scope, below, 6) : undefined
}

function keptAbove0 (scope: GraphRewrite, node: NodeDef | undefined): string | undefined {
  if (node?.op === 'Relu') return node.input[0]
  return node?.op === 'Maximum' ? beside(scope, node, 0) : undefined
}

/** The other of two inputs, where one is this number. */
function beside (scope: GraphRewrite, { input: [a, b, ...more] }: NodeDef, value: number): string | undefined {
  if (more.length > 0) return undefined
  if (scope.scalar(b) === value) return a
  return scope.scalar(a) === value ? b : undefined
}
