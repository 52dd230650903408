import type { Output } from '../../../tensorflow/index.ts'
import { placesOnSide, spatialPair } from '../channels.ts'
import { padding } from '../convolution.ts'
import { rankOf, type Scope } from '../scope.ts'
import type { MakeCell } from './cell.ts'
import { dropoutMask, lstmUpdate } from './cells.ts'

/** An LSTM over images: its products are convolutions, that of the state always as large as the state. @see https://arxiv.org/abs/1506.04214 */
export const makeConvLstmCell: MakeCell = (call, inputShape) => {
  const { config, weight } = call
  if (config.choice('dataFormat', ['channelsLast', 'channelsFirst'], 'channelsLast') === 'channelsFirst') config.refuse('dataFormat', 'put the channels last')
  if (config.numbers('dilationRate', [1]).some(rate => rate !== 1)) config.refuse('dilationRate', 'a dilation of 1 is lowered')
  const [rows, ...sides] = inputShape
  const filters = config.number('filters')
  const ends = padding(call)
  const strides = spatialPair(config.numbers('strides', [1]))
  const kernel = spatialPair(config.numbers('kernelSize'))
  const grown = strides.map((stride, axis) => {
    const side = sides[axis]
    if (typeof side !== 'number') return config.refuse('kernelSize', 'give the model a fixed input size')
    return placesOnSide(side, kernel[axis]!, stride, ends)
  })
  const stateShape = [rows!, ...grown, filters]
  const update = lstmUpdate(call, filters)
  const convolve = (scope: Scope, x: Output, weights: Output): Output => scope.op('Conv2D', [x, weights], { strides: [1, ...strides, 1], padding: ends })
  return {
    stateShapes: [stateShape, stateShape],
    projecting: {
      weights: { kernel: weight('kernel'), ...(config.flag('useBias') && { bias: weight('bias') }) },
      masks: dropoutMask(call, 'dropout', inputShape)
    },
    stepping: { weights: { recurrentKernel: weight('recurrent_kernel') }, masks: dropoutMask(call, 'recurrentDropout', stateShape) },
    project: (scope, x, { kernel: weights, bias, dropout }) => {
      const kept = dropout === undefined ? x : scope.mul(x, dropout)
      const dimensions = scope.dimensions(kept)
      const images = rankOf(kept) === 4 ? kept : scope.reshape(kept, [-1, ...dimensions.slice(2)])
      const product = convolve(scope, images, weights!)
      const biased = bias === undefined ? product : scope.op('BiasAdd', [product, bias])
      return rankOf(kept) === 4 ? biased : scope.reshape(biased, [...dimensions.slice(0, 2), ...grown, 4 * filters])
    },
    step: (scope, projected, [h, c], { recurrentKernel, recurrentDropout }) => {
      const state = recurrentDropout === undefined ? h! : scope.mul(h!, recurrentDropout)
      const product = scope.op('Conv2D', [state, recurrentKernel!], { strides: [1, 1, 1, 1], padding: 'SAME' })
      return update(scope, scope.add(projected, product), c!)
    }
  }
}
