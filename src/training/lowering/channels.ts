import type { LayerCall } from './layer-call.ts'
import type { Output } from '../../tensorflow/index.ts'

/** Works on an image layer's input as [N, H, W, C], whatever the layer's `dataFormat`; TensorFlow on a CPU knows no other order. */
export function asChannelsLast ({ config, scope, input }: LayerCall, work: (x: Output) => Output): Output {
  if (config.choice('dataFormat', ['channelsLast', 'channelsFirst'], 'channelsLast') === 'channelsLast') return work(input)
  return scope.transpose(work(scope.transpose(input, [0, 2, 3, 1])), [0, 3, 1, 2])
}

/** An option that was given as one number counts for both sides. */
export function spatialPair (numbers: readonly number[]): [height: number, width: number] {
  const [height = 1, width = height] = numbers
  return [height, width]
}
