import type { LayerCall } from './layer-call.ts'
import { shapeOf } from './scope.ts'
import type { Output } from '../../tensorflow/index.ts'

type Pair = readonly [height: number, width: number]

/**
 * Runs a convolution whose kernel has gaps. Pixels that lie `rates` apart are gathered into images of their own, which an ordinary
 * convolution runs over; its results are woven together again. TensorFlow's own `dilations` would do, but its C++ gradient forgets them.
 *
 * @param x [N, H, W, C] of known height and width
 * @param convolve a convolution with stride 1 and padding VALID
 * @see https://www.tensorflow.org/api_docs/python/tf/nn/with_space_to_batch
 */
export function dilated ({ config, scope }: LayerCall, x: Output, { rates, kernel, isSame }: { rates: Pair, kernel: Pair, isSame: boolean }, convolve: (x: Output) => Output): Output {
  const sides = shapeOf(x).slice(1, 3)
  if (sides.includes(-1)) config.refuse('dilationRate', 'give the model a fixed input size')
  if (config.numbers('strides').some(stride => stride !== 1)) config.refuse('dilationRate', 'it can not go with strides other than 1')
  const margins = sides.map((side, axis) => {
    const whole = isSame ? rates[axis]! * (kernel[axis]! - 1) : 0
    const before = Math.floor(whole / 2)
    const filling = (rates[axis]! - (side + whole) % rates[axis]!) % rates[axis]!
    return { pad: [before, whole - before + filling], crop: [0, filling] }
  })
  const pairs = (which: 'pad' | 'crop'): Output => scope.graph.constant({ dtype: 'int32', shape: [2, 2], data: Int32Array.from(margins.flatMap(margin => margin[which])) })
  const gathered = scope.op('SpaceToBatchND', [x, scope.ints(rates), pairs('pad')])
  return scope.op('BatchToSpaceND', [convolve(gathered), scope.ints(rates), pairs('crop')])
}
