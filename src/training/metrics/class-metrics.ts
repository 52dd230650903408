import type { Output } from '../../tensorflow/index.ts'
import { shapeOf, type Scope } from '../lowering/scope.ts'
import { actualClass, bestClass } from './accuracy.ts'
import { usualThreshold, type Metric, type MetricInputs } from './metric.ts'

export interface ClassMetricOptions {
  /** What an output of one number has to be above to count as yes; default one half, or 0 for logits. */
  readonly threshold?: number
  /** `binary`: of class 1 alone; `macro`: the mean of all classes. Default: binary for one output or two, macro for more. */
  readonly average?: 'binary' | 'macro'
}

/** Of one class. */
interface ClassCounts {
  /** Predicted, and rightly so. */
  readonly hits: number
  readonly predicted: number
  readonly actual: number
}

/** How much of what was taken for a class is of it. */
export function precision (options: ClassMetricOptions = {}): Metric {
  return classMetric('precision', options, ({ hits, predicted }) => ratio(hits, predicted))
}

/** How much of what is of a class was taken for it. */
export function recall (options: ClassMetricOptions = {}): Metric {
  return classMetric('recall', options, ({ hits, actual }) => ratio(hits, actual))
}

/** The harmonic mean of precision and recall. */
export function f1 (options: ClassMetricOptions = {}): Metric {
  return classMetric('f1', options, ({ hits, predicted, actual }) => ratio(2 * hits, predicted + actual))
}

/** A class that never was, nor was predicted, counts as 0. */
function ratio (part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}

function classMetric (name: string, options: ClassMetricOptions, ofClass: (counts: ClassCounts) => number): Metric {
  return {
    name,
    counts: (scope, inputs) => countClasses(scope, inputs, options),
    finish: counts => {
      const classes = counts.length / 3
      const figures = Array.from({ length: classes }, (_, index) => ofClass({ hits: counts[index]!, predicted: counts[classes + index]!, actual: counts[2 * classes + index]! }))
      const { average = classes > 2 ? 'macro' : 'binary' } = options
      return average === 'binary' ? figures.at(classes === 1 ? 0 : 1)! : figures.reduce((sum, figure) => sum + figure, 0) / classes
    }
  }
}

/** [3 · classes]: hits, predicted, actual, each class by class. */
function countClasses (scope: Scope, inputs: MetricInputs, { threshold }: ClassMetricOptions): Output {
  const { actual, predicted } = inputs.isDecidedAlone ? decisions(scope, inputs, threshold) : oneHots(scope, inputs)
  const count = (x: Output): Output => scope.sum(x, [0])
  return scope.op('ConcatV2', [[count(scope.mul(actual, predicted)), count(predicted), count(actual)], scope.int(0)])
}

/** float32 [M, outputs] each: 1 for yes. */
function decisions (scope: Scope, inputs: MetricInputs, threshold = usualThreshold(inputs)): { actual: Output, predicted: Output } {
  const { target, output } = inputs
  const outputs = shapeOf(output).at(-1)!
  const isOver = scope.op('Greater', [output, scope.number(threshold)])
  return { actual: scope.reshape(target, [-1, outputs]), predicted: scope.reshape(scope.float(isOver), [-1, outputs]) }
}

/** float32 [M, classes] each. */
function oneHots (scope: Scope, inputs: MetricInputs): { actual: Output, predicted: Output } {
  const classes = shapeOf(inputs.output).at(-1)!
  const oneHot = (numbers: Output): Output => scope.op('OneHot', [scope.reshape(numbers, [-1]), scope.int(classes), scope.number(1), scope.number(0)])
  return { actual: oneHot(actualClass(scope, inputs)), predicted: oneHot(bestClass(scope, inputs.output)) }
}
