import type { Output } from '../../tensorflow/index.ts'
import type { LayerCall, Lowering } from './layer-call.ts'
import { rankOf, shapeOf } from './scope.ts'

const RESIZE = { nearest: 'ResizeNearestNeighbor', bilinear: 'ResizeBilinear' } as const

function lowerResizing ({ config, scope, input }: LayerCall): Output {
  const interpolation = config.choice('interpolation', ['bilinear', 'nearest'], 'bilinear')
  const isAligned = !config.flag('cropToAspectRatio', false) // so says tf.layers
  return scope.float(scope.op(RESIZE[interpolation], [input, scope.ints([config.number('height'), config.number('width')])], { align_corners: isAligned }))
}

/** The middle; where one column is too many, it is the first. `tf.layers` picks the same pixels by rounding. A picture that is too small is enlarged. */
function lowerCenterCrop ({ config, scope, input }: LayerCall): Output {
  const [, height, width] = shapeOf(input)
  if (height! < 0 || width! < 0) config.refuse('height', 'give the model a fixed input size')
  const size = [config.number('height'), config.number('width')] as const
  const margin = (side: number, wanted: number): number => Math.floor((side - wanted) / 2)
  const top = margin(height!, size[0])
  const left = size[1] === width ? 0 : margin(width!, size[1]) || 1
  if (top < 0 || left < 0) return scope.op('ResizeBilinear', [input, scope.ints(size)])
  return scope.op('Slice', [input, scope.ints([0, top, left, 0]), scope.ints([-1, ...size, -1])])
}

/** Numbers of categories as a vector: which there are, or how often. */
function lowerCategoryEncoding ({ config, scope, input }: LayerCall): Output {
  const mode = config.choice('outputMode', ['multiHot', 'oneHot', 'count', 'int', 'tfIdf'], 'multiHot')
  if (mode === 'tfIdf') config.refuse('outputMode', 'multiply its counts with the weights in a layer of your own')
  const numbers = scope.cast(input, 'int32')
  if (mode === 'int') return numbers
  if (rankOf(input) > 2 || (mode === 'oneHot' && shapeOf(input).at(-1) !== 1)) config.refuse('outputMode', 'tf.layers itself only encodes rows of categories, and as oneHot only one a row')
  const noWeights = scope.graph.constant({ dtype: 'float32', shape: [0], data: new Float32Array(0) })
  const counts = scope.op('DenseBincount', [numbers, scope.int(config.number('numTokens')), noWeights], { binary_output: mode !== 'count' })
  return scope.reshape(counts, [...scope.dimensions(input).slice(0, 1), config.number('numTokens')])
}

export const preprocessingLayers: Record<string, Lowering> = {
  Resizing: { lower: lowerResizing },
  CenterCrop: { lower: lowerCenterCrop },
  CategoryEncoding: { lower: lowerCategoryEncoding, anyInput: true },
  RandomWidth: { lower: ({ config }) => config.refuse('factor', 'pictures of a batch would have another width each time; use the augmentations zoom and shift') },
  /** Bytes of an image become floats here, inside the graph. */
  Rescaling: {
    lower: ({ config, scope, input }) => {
      const scaled = scope.mul(input, config.number('scale'))
      const offset = config.number('offset', 0)
      return offset === 0 ? scaled : scope.add(scaled, offset)
    }
  }
}
