import { findLoss, isLossName, type Loss, type LossName } from './losses.ts'
import { binaryAccuracy, categoricalAccuracy, topK } from './metrics/accuracy.ts'
import { auc } from './metrics/auc.ts'
import { f1, precision, recall } from './metrics/class-metrics.ts'
import { meanMetric, type Metric } from './metrics/metric.ts'

export { auc, binaryAccuracy, f1, precision, recall, topK }
export { meanMetric, type Metric, type MetricInputs } from './metrics/metric.ts'

const METRICS = {
  binaryAccuracy: binaryAccuracy(),
  categoricalAccuracy: categoricalAccuracy(),
  sparseCategoricalAccuracy: categoricalAccuracy('sparseCategoricalAccuracy'),
  topK: topK(),
  precision: precision(),
  recall: recall(),
  f1: f1(),
  auc: auc()
} satisfies Record<string, Metric>

/** `accuracy` means what fits the loss. A loss by its name is measured as it is. */
export type MetricName = 'accuracy' | 'acc' | keyof typeof METRICS | LossName

/** A metric by its name, or your own as it is. */
export function findMetric (metric: MetricName | Metric, loss: Loss, outputShape: readonly number[]): Metric {
  if (typeof metric !== 'string') return metric
  if (metric === 'accuracy' || metric === 'acc') return isDecidedAlone(loss, outputShape) ? binaryAccuracy({ name: 'acc' }) : categoricalAccuracy('acc')
  if (!isLossName(metric)) return METRICS[metric]
  return meanMetric(metric, (scope, { target, output }) => findLoss(metric).lossOfRows(scope, target, { output }))
}

/** Whether each number of such an output is a yes or no of its own, not one class of several. */
export function isDecidedAlone ({ name }: Loss, outputShape: readonly number[]): boolean {
  return name === 'binaryCrossentropy' || (name !== 'sparseCategoricalCrossentropy' && outputShape.at(-1) === 1)
}
