import type { Output } from '../../tensorflow/index.ts'
import { EPSILON } from '../losses/loss.ts'
import { shapeOf, type Scope } from '../lowering/scope.ts'
import type { Metric, MetricInputs } from './metric.ts'

/** Scores of one bin count as the same. Bins are as wide in logits, so that probabilities next to 0 and 1 are told apart too. */
const BINS = 4096
/** Probabilities are told apart from this logit's, some 1e-6, to its opposite's. */
const MOST = 14

/**
 * The area under the ROC curve: how often a row of a class has a higher score for it than a row of another, ties counting half. For more than
 * two classes the mean over them, each against the rest.
 */
export function auc (): Metric {
  return {
    name: 'auc',
    counts: (scope, inputs) => {
      const { actual, score } = scoresByClass(scope, inputs)
      const classes = shapeOf(score).at(-1)!
      const bins = scope.add(binOf(scope, score, inputs.isLogits && inputs.isDecidedAlone), scope.ints(Array.from({ length: classes }, (_, index) => index * BINS)))
      const countOf = (x: Output): Output => scope.op('UnsortedSegmentSum', [scope.reshape(x, [-1]), scope.reshape(bins, [-1]), scope.int(classes * BINS)])
      return scope.op('ConcatV2', [[countOf(actual), countOf(scope.sub(1, actual))], scope.int(0)])
    },
    finish: counts => {
      const classes = counts.length / 2 / BINS
      const areas = Array.from({ length: classes }, (_, index) => area(counts.subarray(index * BINS, (index + 1) * BINS), counts.subarray((classes + index) * BINS, (classes + index + 1) * BINS)))
      return areas.reduce((sum, area) => sum + area, 0) / classes
    }
  }
}

/** Of one class. NaN if there are no rows of it, or no others. @param yes,no rows in each bin of rising score */
function area (yes: Float64Array, no: Float64Array): number {
  let [lower, pairs, all] = [0, 0, 0]
  yes.forEach((count, bin) => {
    pairs += count * (lower + no[bin]! / 2)
    lower += no[bin]!
    all += count
  })
  return pairs / (all * lower)
}

/** float32 [M, C] each: 1 where the row is of the class, and its score for it. Of two classes only the second one. */
function scoresByClass (scope: Scope, { target, output, isSparse, isDecidedAlone, isLogits }: MetricInputs): { actual: Output, score: Output } {
  const classes = shapeOf(output).at(-1)!
  const scores = isDecidedAlone ? output : isLogits ? scope.op('Softmax', [output]) : output
  const hot = isSparse ? scope.op('OneHot', [target, scope.int(classes), scope.number(1), scope.number(0)]) : target
  const [actual, score] = [hot, scores].map(x => scope.reshape(x, [-1, classes])) as [Output, Output]
  return classes === 2 && !isDecidedAlone ? { actual: lastColumn(scope, actual), score: lastColumn(scope, score) } : { actual, score }
}

function lastColumn (scope: Scope, x: Output): Output {
  return scope.op('Slice', [x, scope.ints([0, 1]), scope.ints([-1, 1])])
}

/** int32. */
function binOf (scope: Scope, score: Output, isLogit: boolean): Output {
  const p = scope.clip(score, EPSILON, 1 - EPSILON)
  const logit = isLogit ? score : scope.op('Log', [scope.div(p, scope.sub(1, p))])
  const place = scope.mul(scope.add(scope.clip(logit, -MOST, MOST), MOST), (BINS - 1) / (2 * MOST))
  return scope.cast(scope.op('Round', [place]), 'int32')
}
