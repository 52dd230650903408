import { FLOAT32, ofType } from './attribute-values.ts'
import type { GraphRewrite } from './graph-rewrite.ts'
import type { NodeDef } from './proto/tensorflow_pb.js'

/** TensorFlow's own slope where the attribute is left out. */
const SLOPE = 0.2
const SUMS = new Set(['Add', 'AddV2', 'AddN'])

/**
 * Puts the greater of `x` and `slope · x` in the place of a leaky ReLU after a sum. Where a convolution does the sum and the ReLU along, TensorFlow 2.21 forgets the slope
 * and takes 0.2; it does so for models as they were saved too, where it knows the shapes.
 */
export function keepSlopes (scope: GraphRewrite): void {
  if (scope.hasFrames) return
  for (const node of scope.nodes) {
    const slope = slopeOf(node)
    if (slope === undefined || slope === Math.fround(SLOPE) || !SUMS.has(scope.maker(node.input[0])?.op ?? '')) continue
    const [x, numbers] = [node.input[0]!, { T: ofType(FLOAT32) }]
    const sloping = scope.add(`${node.name}/sloping`, 'Mul', [x, scope.addConstant(`${node.name}/slope`, FLOAT32, slope)], numbers)
    scope.replace(node, slope > 1 ? 'Minimum' : 'Maximum', [x, sloping], numbers)
  }
}

function slopeOf ({ op, attr, input }: NodeDef): number | undefined {
  return op === 'LeakyRelu' && attr['T']?.type === FLOAT32 && input.length === 1 ? attr['alpha']?.f ?? SLOPE : undefined // no control inputs
}
