import { FLOAT32, integersOf, layoutOf, ofIntegers, ofText, ofType, textOf } from './attribute-values.ts'
import type { GraphRewrite } from './graph-rewrite.ts'
import type { AttrValue, NodeDef } from './proto/tensorflow_pb.js'

const CONVOLUTIONS = new Set(['Conv2D', 'DepthwiseConv2dNative'])

/**
 * Lets convolutions pad what they read by themselves. As a `Pad` of its own, as Keras' ZeroPadding2D before a convolution with strides is, the whole picture is
 * copied to have a row and a column more.
 */
export function padInConvolutions (scope: GraphRewrite): void {
  for (const node of scope.nodes) {
    const pad = isUnpadded(node) ? scope.onlyMaker(node.input[0]) : undefined
    const sides = pad?.op === 'Pad' && pad.input.length === 2 ? scope.integers(pad.input[1]) : undefined // no control inputs
    const padding = sides && paddingOf(scope, node, pad!.input[0]!, sides)
    if (padding === undefined) continue
    scope.alter(node, padding)
    scope.replace(pad!, 'Identity', [pad!.input[0]!], { T: ofType(FLOAT32) })
  }
}

function isUnpadded (node: NodeDef): boolean {
  const { op, attr } = node
  const isPlain = CONVOLUTIONS.has(op) && attr['T']?.type === FLOAT32 && layoutOf(node) === 'NHWC' && integersOf(attr['dilations']).every(rate => rate === 1)
  return isPlain && textOf(attr['padding']) === 'VALID'
}

/** @param sides before and after, for rows, height, width and channels */
function paddingOf (scope: GraphRewrite, node: NodeDef, x: string, sides: readonly number[]): Record<string, AttrValue> | undefined {
  if (sides.length !== 8 || sides.some((side, index) => side < 0 || (side > 0 && (index < 2 || index > 5)))) return undefined
  if (sides.slice(2, 6).join() === sidesOfSame(scope, node, x)?.join()) return { padding: ofText('SAME') }
  if (node.op !== 'Conv2D') return undefined // a depthwise convolution with an activation has no other: TensorFlow would end the process
  return { padding: ofText('EXPLICIT'), explicit_paddings: ofIntegers(sides) }
}

/** Before and after the height, and the width, as the padding `SAME` has them. @see https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2 */
function sidesOfSame (scope: GraphRewrite, { attr, input }: NodeDef, x: string): number[] | undefined {
  const [picture, filter, strides] = [scope.shape(x), scope.shape(input[1]), integersOf(attr['strides'])]
  if (picture?.length !== 4 || filter?.length !== 4 || strides.length !== 4) return undefined
  return [1, 2].flatMap(axis => {
    const [length, kernel, stride] = [picture[axis]!, filter[axis - 1]!, strides[axis]!]
    const all = Math.max((Math.ceil(length / stride) - 1) * stride + kernel - length, 0)
    return length > 0 && kernel > 0 ? [Math.floor(all / 2), Math.ceil(all / 2)] : [Number.NaN]
  })
}
