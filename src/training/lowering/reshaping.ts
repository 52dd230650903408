import { asChannelsLast, spatialPair } from './channels.ts'
import type { LayerCall, Lowering } from './layer-call.ts'
import { range, rankOf, shapeOf } from './scope.ts'
import type { Output } from '../../tensorflow/index.ts'

function lowerFlatten ({ config, scope, input }: LayerCall): Output {
  const isChannelsFirst = config.optional('dataFormat') === 'channelsFirst'
  const x = isChannelsFirst ? scope.transpose(input, [0, ...range(rankOf(input)).slice(2), 1]) : input
  return scope.reshape(x, [-1, product(shapeOf(x).slice(1))])
}

/** One dimension of the target may be left open. */
function lowerReshape ({ config, scope, input }: LayerCall): Output {
  const target = config.optional('targetShape') as readonly (number | null)[]
  const size = product(shapeOf(input).slice(1))
  const known = product(target.map(side => side ?? 1))
  const [rows] = scope.dimensions(input)
  return scope.reshape(input, [rows!, ...target.map(side => side ?? (size < 0 ? -1 : size / known))])
}

/** Negative if a side is not known. */
function product (sides: readonly number[]): number {
  return sides.includes(-1) ? -1 : sides.reduce((size, side) => size * side, 1)
}

function lowerRepeatVector ({ config, scope, input }: LayerCall): Output {
  return scope.op('Tile', [scope.expandDims(input, 1), scope.ints([1, config.number('n'), 1])])
}

function pad ({ config, scope }: LayerCall, x: Output): Output {
  const [height, width] = config.margins('padding')
  const margins = Int32Array.from([0, 0, ...height!, ...width!, 0, 0])
  return scope.op('Pad', [x, scope.graph.constant({ dtype: 'int32', shape: [4, 2], data: margins })])
}

/** Bits of `end_mask` say which axes go to their end: the rows, the channels and every side that is not cut there. */
function crop ({ config, scope }: LayerCall, x: Output): Output {
  const [[top, bottom], [left, right]] = config.margins('cropping') as [[number, number], [number, number]]
  const toTheEnd = 0b1001 | (bottom === 0 ? 0b0010 : 0) | (right === 0 ? 0b0100 : 0)
  return scope.op('StridedSlice', [x, scope.ints([0, top, left, 0]), scope.ints([0, -bottom, -right, 0]), scope.ints([1, 1, 1, 1])], { end_mask: toTheEnd })
}

function enlarge ({ config, scope }: LayerCall, x: Output): Output {
  const factors = spatialPair(config.numbers('size'))
  const sides = shapeOf(x).slice(1, 3)
  if (sides.includes(-1)) config.refuse('size', 'give the model a fixed input size')
  const type = config.choice('interpolation', ['nearest', 'bilinear'], 'nearest') === 'nearest' ? 'ResizeNearestNeighbor' : 'ResizeBilinear'
  return scope.op(type, [x, scope.ints(sides.map((side, axis) => side * factors[axis]!))])
}

/** Steps whose every value is `maskValue` become 0 and do not count. */
function lowerMasking (call: LayerCall): Output {
  const { scope, input } = call
  return scope.mul(input, scope.constantForGradients(scope.float(scope.expandDims(stepsThatCount(call), -1))))
}

function stepsThatCount ({ config, scope, input }: LayerCall): Output {
  return scope.op('Any', [scope.op('NotEqual', [input, scope.number(config.number('maskValue'))]), scope.ints([-1])])
}

export const reshapingLayers: Record<string, Lowering> = {
  Flatten: { lower: lowerFlatten, takesHalf: true },
  Reshape: { lower: lowerReshape, takesHalf: true },
  Permute: { lower: ({ config, scope, input }) => scope.transpose(input, [0, ...config.numbers('dims')]), takesHalf: true },
  RepeatVector: { lower: lowerRepeatVector },
  ZeroPadding2D: { lower: call => asChannelsLast(call, x => pad(call, x)), takesHalf: true },
  Cropping2D: { lower: call => asChannelsLast(call, x => crop(call, x)) },
  UpSampling2D: { lower: call => asChannelsLast(call, x => enlarge(call, x)) },
  Masking: { lower: lowerMasking, masks: call => [stepsThatCount(call)] }
}
