import type { Output } from '../../tensorflow/index.ts'
import { shapeOf, type Scope } from '../lowering/scope.ts'
import { elementwise, EPSILON, type Loss, type Prediction } from './loss.ts'

export interface CrossentropyOptions {
  /** The model's last layer has no softmax or sigmoid; default false. Where it has one, the loss starts from its logits by itself. */
  readonly fromLogits?: boolean
  /** 0…1: how much of each target is spread evenly over all classes; default 0. */
  readonly labelSmoothing?: number
}

/** For yes or no, each output by itself. Softplus(x) − x · y: never overflows, however sure the model is. */
export function binaryCrossentropy ({ fromLogits = false, labelSmoothing = 0 }: CrossentropyOptions = {}): Loss {
  return {
    fromLogits,
    ...elementwise('binaryCrossentropy', (scope, target, { output, logits }) => {
      const x = fromLogits ? output : logits?.kind === 'sigmoid' ? logits.output : logitsOfProbability(scope, output)
      return scope.mean(scope.sub(scope.op('Softplus', [x]), scope.mul(x, smoothed(scope, target, labelSmoothing, 2))), [-1])
    })
  }
}

/** For one of several classes. Targets are one-hot rows, or probabilities that sum up to 1. */
export function categoricalCrossentropy ({ fromLogits = false, labelSmoothing = 0 }: CrossentropyOptions = {}): Loss {
  return {
    fromLogits,
    ...elementwise('categoricalCrossentropy', (scope, target, prediction) => {
      const classes = shapeOf(prediction.output).at(-1)!
      return crossentropyOfClasses(scope, smoothed(scope, target, labelSmoothing, classes), prediction, fromLogits)
    })
  }
}

/** For one of several classes. Targets are class numbers, which become one-hot rows: TensorFlow's sparse operation has no gradient in its C++ library. */
export function sparseCategoricalCrossentropy ({ fromLogits = false, labelSmoothing = 0 }: CrossentropyOptions = {}): Loss {
  return {
    name: 'sparseCategoricalCrossentropy',
    fromLogits,
    target: outputShape => ({ dtype: 'int32', shape: outputShape.slice(0, -1) }),
    lossOfRows: (scope, target, prediction) => {
      const classes = shapeOf(prediction.output).at(-1)!
      const rest = labelSmoothing / classes
      const oneHot = scope.op('OneHot', [target, scope.int(classes), scope.number(1 - labelSmoothing + rest), scope.number(rest)])
      return crossentropyOfClasses(scope, oneHot, prediction, fromLogits)
    }
  }
}

function smoothed (scope: Scope, target: Output, smoothing: number, classes: number): Output {
  return smoothing === 0 ? target : scope.add(scope.mul(target, 1 - smoothing), smoothing / classes)
}

function crossentropyOfClasses (scope: Scope, target: Output, { output, logits }: Prediction, fromLogits: boolean): Output {
  const x = fromLogits ? output : logits?.kind === 'softmax' ? logits.output : undefined
  if (x === undefined) return crossentropyOfProbabilities(scope, target, output)
  if (shapeOf(x).length === 2) return scope.op('SoftmaxCrossEntropyWithLogits', [x, target])
  return scope.op('Neg', [scope.sum(scope.mul(target, scope.op('LogSoftmax', [x])), [-1])])
}

function crossentropyOfProbabilities (scope: Scope, target: Output, output: Output): Output {
  const normalized = scope.div(output, scope.sum(output, [-1], true))
  const log = scope.op('Log', [scope.clip(normalized, EPSILON, 1 - EPSILON)])
  return scope.op('Neg', [scope.sum(scope.mul(target, log), [-1])])
}

function logitsOfProbability (scope: Scope, probability: Output): Output {
  const p = scope.clip(probability, EPSILON, 1 - EPSILON)
  return scope.op('Log', [scope.div(p, scope.sub(1, p))])
}
