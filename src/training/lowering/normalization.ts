import type { LayerCall, Lowering } from './layer-call.ts'
import { range, rankOf, shapeOf, type Scope } from './scope.ts'
import type { Output } from '../../tensorflow/index.ts'

/**
 * Batch normalization. While training it uses the batch's own mean and variance and moves the kept averages towards them; a layer whose
 * `trainable` is false keeps still and uses the averages (as Keras does since 2.0, where `tf.layers` would go on moving them).
 */
function lowerBatchNormalization (call: LayerCall): Output {
  const { config, input } = call
  const rank = rankOf(input)
  const axis = config.number('axis') < 0 ? config.number('axis') + rank : config.number('axis')
  return axis === rank - 1 ? normalizeFused(call) : normalizeAlong(call, axis)
}

function scaleAndCentre ({ config, scope, weight }: LayerCall, channels: number): { gamma: Output, beta: Output } {
  const filled = (value: number): Output => scope.op('Fill', [scope.ints([channels]), scope.number(value)])
  return { gamma: config.flag('scale') ? weight('gamma') : filled(1), beta: config.flag('center') ? weight('beta') : filled(0) }
}

function usesBatch ({ isTraining, layer }: LayerCall): boolean {
  return isTraining && layer.trainable
}

/** Channels last: TensorFlow's one kernel for all of it, over [N, H, W, C]; other ranks are folded to that and back. */
function normalizeFused (call: LayerCall): Output {
  const { config, scope, input, weight } = call
  const channels = shapeOf(input).at(-1)!
  const { gamma, beta } = scaleAndCentre(call, channels)
  const x = rankOf(input) === 4 ? input : scope.reshape(input, [-1, 1, 1, channels])
  const none = scope.op('Fill', [scope.ints([0]), scope.number(0)])
  const statistics = usesBatch(call) ? [none, none] : [weight('moving_mean'), weight('moving_variance')]
  const normalized = scope.operation('FusedBatchNormV3', [x, gamma, beta, ...statistics], { epsilon: config.number('epsilon'), is_training: usesBatch(call) })
  if (usesBatch(call)) moveAverages(call, normalized.output(1), biasedVariance(scope, x, normalized.output(2)))
  return rankOf(input) === 4 ? normalized.output(0) : scope.reshape(normalized.output(0), scope.dimensions(input))
}

/** TensorFlow's kernel gives Σ(x − mean)² ÷ (n − 1); `tf.layers` averages Σ(x − mean)² ÷ n. */
function biasedVariance (scope: Scope, x: Output, variance: Output): Output {
  const elements = scope.float(scope.op('Size', [x]))
  const n = scope.div(elements, scope.number(shapeOf(x).at(-1)!))
  const nMinusOne = scope.op('Maximum', [scope.sub(n, 1), scope.number(1)])
  return scope.mul(variance, scope.constantForGradients(scope.div(nMinusOne, n)))
}

/** Any axis, in single operations. */
function normalizeAlong (call: LayerCall, axis: number): Output {
  const { config, scope, input, weight } = call
  const channels = shapeOf(input)[axis]!
  const broadcast = (x: Output): Output => scope.reshape(x, range(rankOf(input)).map(index => index === axis ? channels : 1))
  const { gamma, beta } = scaleAndCentre(call, channels)
  let mean = broadcast(weight('moving_mean'))
  let variance = broadcast(weight('moving_variance'))
  if (usesBatch(call)) {
    ({ mean, variance } = moments(scope, input, range(rankOf(input)).filter(index => index !== axis)))
    moveAverages(call, scope.reshape(mean, [channels]), scope.reshape(variance, [channels]))
  }
  return standardize(scope, input, { mean, variance, epsilon: config.number('epsilon'), gamma: broadcast(gamma), beta: broadcast(beta) })
}

function moveAverages ({ config, scope, updateWeight }: LayerCall, mean: Output, variance: Output): void {
  const momentum = config.number('momentum')
  const towards = (target: Output) => (value: Output): Output => scope.sub(value, scope.mul(scope.sub(value, target), 1 - momentum))
  updateWeight('moving_mean', towards(mean))
  updateWeight('moving_variance', towards(variance))
}

function lowerLayerNormalization ({ config, scope, input, weight }: LayerCall): Output {
  const rank = rankOf(input)
  const axes = config.numbers('axis').map(axis => axis < 0 ? axis + rank : axis)
  const shape = shapeOf(input)
  const isLast = axes.length === 1 && axes[0] === rank - 1
  // Along the last axis as they are: where TensorFlow's optimizer makes one oneDNN operation of the layer, that takes vectors only.
  const broadcast = (x: Output): Output => isLast ? x : scope.reshape(x, range(rank).map(axis => axes.includes(axis) ? shape[axis]! : 1))
  return standardize(scope, input, {
    ...moments(scope, input, axes),
    epsilon: config.number('epsilon'),
    ...(config.flag('scale') && { gamma: broadcast(weight('gamma')) }),
    ...(config.flag('center') && { beta: broadcast(weight('beta')) })
  })
}

/** Over `axes`, which stay as axes of 1. */
function moments (scope: Scope, x: Output, axes: readonly number[]): { mean: Output, variance: Output } {
  const mean = scope.mean(x, axes, true)
  return { mean, variance: scope.mean(scope.op('SquaredDifference', [x, mean]), axes, true) }
}

interface Standard { mean: Output, variance: Output, epsilon: number, gamma?: Output, beta?: Output }

function standardize (scope: Scope, x: Output, { mean, variance, epsilon, gamma, beta }: Standard): Output {
  let y = scope.mul(scope.sub(x, mean), scope.op('Rsqrt', [scope.add(variance, epsilon)]))
  if (gamma !== undefined) y = scope.mul(y, gamma)
  return beta === undefined ? y : scope.add(y, beta)
}

export const normalizationLayers: Record<string, Lowering> = {
  BatchNormalization: { lower: lowerBatchNormalization, takesHalf: true },
  LayerNormalization: { lower: lowerLayerNormalization }
}
