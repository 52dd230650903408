import type { Output } from '../../tensorflow/index.ts'
import { shapeOf, type Scope } from '../lowering/scope.ts'
import { meanMetric, usualThreshold, type Metric, type MetricInputs } from './metric.ts'

/** Whether an output of one number, or each of several, is on the right side of the threshold. @param threshold default one half, or 0 for logits */
export function binaryAccuracy ({ threshold, name = 'binaryAccuracy' }: { threshold?: number, name?: string } = {}): Metric {
  return meanMetric(name, (scope, inputs) => {
    const { target, output } = inputs
    const decided = scope.float(scope.op('Greater', [output, scope.number(threshold ?? usualThreshold(inputs))]))
    return scope.mean(scope.float(scope.op('Equal', [target, decided])), [-1])
  })
}

/** Whether the largest output is that of the right class. */
export function categoricalAccuracy (name = 'categoricalAccuracy'): Metric {
  return meanMetric(name, (scope, inputs) => scope.float(scope.op('Equal', [actualClass(scope, inputs), bestClass(scope, inputs.logits ?? inputs.output)])))
}

/** Whether the right class is among the `k` largest outputs. @param k default 5 */
export function topK ({ k = 5 }: { k?: number } = {}): Metric {
  return meanMetric(`top${k}`, (scope, inputs) => {
    const classes = shapeOf(inputs.output).at(-1)!
    const actual = scope.reshape(actualClass(scope, inputs), [-1])
    return scope.float(scope.op('InTopKV2', [scope.reshape(inputs.output, [-1, classes]), actual, scope.graph.scalar('int64', k)]))
  })
}

/** int64: the number of the right class. */
export function actualClass (scope: Scope, { target, isSparse }: MetricInputs): Output {
  return isSparse ? scope.cast(target, 'int64') : bestClass(scope, target)
}

/** int64. */
export function bestClass (scope: Scope, x: Output): Output {
  return scope.op('ArgMax', [x, scope.int(shapeOf(x).length - 1)])
}
