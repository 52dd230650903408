import { withGradient } from '../gradients.ts'
import type { LayerCall, Lowering } from './layer-call.ts'
import type { Dimension } from './scope.ts'
import type { Output } from '../../tensorflow/index.ts'

/** What to multiply with to drop elements: 0, or 1 ÷ (1 − rate), so that the sum stays about what it was. */
export function keepOrDrop (call: LayerCall, rate: number, shape: readonly Dimension[]): Output {
  const { scope } = call
  return scope.constantForGradients(scope.mul(scope.float(isKept(call, rate, shape)), 1 / (1 - rate)))
}

/** How many of 16 random bits decide about one element, and how many elements 64 bits are enough for. */
const [CHANCES, PER_WORD] = [2 ** 16, 4]

/** Random numbers are what takes the time here: where the last side allows it, four elements share one of 64 bits, at rates rounded to 1/65536. */
function isKept ({ scope, randomSeed }: LayerCall, rate: number, shape: readonly Dimension[]): Output {
  const last = shape.at(-1)
  if (typeof last !== 'number' || last % PER_WORD !== 0) {
    const random = scope.op('StatelessRandomUniform', [scope.shape(shape), randomSeed()], { dtype: 'float32' })
    return scope.op('GreaterEqual', [random, scope.number(rate)])
  }
  const words = scope.op('StatelessRandomUniformFullInt', [scope.shape([...shape.slice(0, -1), last / PER_WORD]), randomSeed()], { dtype: 'uint64' })
  const random = scope.reshape(scope.op('Bitcast', [words], { type: 'uint16' }), shape)
  return scope.op('GreaterEqual', [random, scope.graph.scalar('uint16', Math.min(Math.round(rate * CHANCES), CHANCES - 1))])
}

/** The gradient goes the same way; TensorFlow's own would first find out whether the mask was stretched. */
function drop (call: LayerCall, rate: number, shape: readonly Dimension[]): Output {
  const { input, scope } = call
  const mask = scope.cast(keepOrDrop(call, rate, shape), input.dtype)
  const [dropped] = withGradient(scope, [input], [scope.mul(input, mask)], ([incoming]) => [incoming && scope.mul(incoming, mask)])
  return dropped!
}

/** A rate of 0 or 1 drops nothing, as in `tf.layers`. */
export function isActive ({ isTraining }: LayerCall, rate: number): boolean {
  return isTraining && rate > 0 && rate < 1
}

function lowerDropout (call: LayerCall): Output {
  const { config, scope, input } = call
  const rate = config.number('rate')
  if (!isActive(call, rate)) return input
  const dimensions = scope.dimensions(input)
  const noise = config.optional('noiseShape') as (number | null)[] | undefined
  return drop(call, rate, dimensions.map((side, axis) => noise?.[axis] ?? side))
}

/** Drops whole channels of a sequence. */
function lowerSpatialDropout1D (call: LayerCall): Output {
  const { config, scope, input } = call
  const rate = config.number('rate')
  if (!isActive(call, rate)) return input
  const [rows, , channels] = scope.dimensions(input)
  return drop(call, rate, [rows!, 1, channels!])
}

function normalNoise ({ scope, input, randomSeed }: LayerCall, deviation: number): Output {
  const normal = scope.op('StatelessRandomNormal', [scope.shape(scope.dimensions(input)), randomSeed()], { dtype: 'float32' })
  return scope.constantForGradients(scope.mul(normal, deviation))
}

function lowerGaussianNoise (call: LayerCall): Output {
  const { config, scope, input, isTraining } = call
  return isTraining ? scope.add(input, normalNoise(call, config.number('stddev'))) : input
}

function lowerGaussianDropout (call: LayerCall): Output {
  const { config, scope, input } = call
  const rate = config.number('rate')
  if (!isActive(call, rate)) return input
  return scope.mul(input, scope.add(normalNoise(call, Math.sqrt(rate / (1 - rate))), 1))
}

const SELU_FLOOR = -1.6732632423543772 * 1.0507009873554805

/** Sets what is dropped to SELU's lowest value and rescales, so that mean and variance stay. @see https://arxiv.org/abs/1706.02515 */
function lowerAlphaDropout (call: LayerCall): Output {
  const { config, scope, input, randomSeed } = call
  const rate = config.number('rate')
  if (!isActive(call, rate)) return input
  const random = scope.op('StatelessRandomUniform', [scope.shape(scope.dimensions(input)), randomSeed()], { dtype: 'float32' })
  const isKept = scope.constantForGradients(scope.float(scope.op('GreaterEqual', [random, scope.number(rate)])))
  const scale = ((1 - rate) * (1 + rate * SELU_FLOOR ** 2)) ** -0.5
  const dropped = scope.mul(scope.sub(1, isKept), SELU_FLOOR)
  return scope.add(scope.mul(scope.add(scope.mul(input, isKept), dropped), scale), -scale * SELU_FLOOR * rate)
}

export const dropoutLayers: Record<string, Lowering> = {
  Dropout: { lower: lowerDropout, takesHalf: true },
  SpatialDropout1D: { lower: lowerSpatialDropout1D, takesHalf: true },
  GaussianNoise: { lower: lowerGaussianNoise },
  GaussianDropout: { lower: lowerGaussianDropout },
  AlphaDropout: { lower: lowerAlphaDropout }
}
