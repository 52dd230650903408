import type { LayerCall } from './layer-call.ts'
import { range, rankOf } from './scope.ts'
import type { Output } from '../../tensorflow/index.ts'

/** Works on an image layer's input as [N, H, W, C], or [N, D, H, W, C], whatever the layer's `dataFormat`; TensorFlow on a CPU knows no other order. */
export function asChannelsLast ({ config, scope, input }: LayerCall, work: (x: Output) => Output): Output {
  if (config.choice('dataFormat', ['channelsLast', 'channelsFirst'], 'channelsLast') === 'channelsLast') return work(input)
  const axes = range(rankOf(input))
  return scope.transpose(work(scope.transpose(input, [0, ...axes.slice(2), 1])), [0, axes.length - 1, ...axes.slice(1, -1)])
}

/** An option that was given as one number counts for both sides. */
export function spatialPair (numbers: readonly number[]): [height: number, width: number] {
  const [height = 1, width = height] = numbers
  return [height, width]
}

/** As `spatialPair`, for volumes. */
export function spatialTriple (numbers: readonly number[]): [depth: number, height: number, width: number] {
  const [depth = 1, height = depth, width = depth] = numbers
  return [depth, height, width]
}

/** How many places a window has along one side of known length, 0 where it is too long for it. */
export function placesOnSide (side: number, size: number, stride: number, padding: 'SAME' | 'VALID'): number {
  return Math.max(0, Math.ceil((padding === 'SAME' ? side : side - size + 1) / stride))
}
