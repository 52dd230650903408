import type tf from '@tensorflow/tfjs'
import type { Graph, Output } from '../tensorflow/index.ts'
import type { FigureLayout } from './history.ts'
import { withGradient } from './gradients.ts'
import { findLoss, type Loss, type LossChoice } from './losses.ts'
import type { LoweredModel } from './lowering/lower-model.ts'
import { shapeOf, type Scope } from './lowering/scope.ts'
import { findMetric, isDecidedAlone, type Metric, type MetricInputs, type MetricName } from './metrics.ts'
import { weigh, weightsOfClasses, type ClassWeights } from './row-weights.ts'

/** What is measured, and what rows count. */
export interface MeasureOptions {
  /** One for all outputs, or one for each. */
  readonly loss: LossChoice | readonly LossChoice[]
  /** For each output. */
  readonly metrics?: readonly (MetricName | Metric)[]
  /** What rows of each class count while training, for a model with one output. */
  readonly classWeights?: ClassWeights
  /** Whether batches say what each row, or each step of each row, counts in the loss. Metrics count all alike. @see Batch.weights */
  readonly sampleWeights?: 'rows' | 'steps'
}

/** What is measured at one output. */
export interface Measure {
  readonly loss: Loss
  readonly metrics: readonly Metric[]
  readonly target: Output
  /** float32 [N], or [N, T]. */
  readonly weights: Output | undefined
  readonly classWeights: ClassWeights | undefined
}

/** Figures of a batch in one tensor, so that one fetch brings them. */
export interface Figures {
  /** float32 scalar. */
  readonly loss: Output
  /** float32 [k]: losses, then the metrics' counts. @see FigureLayout */
  readonly all: Output
  /** How many counts each metric has. */
  readonly sizes: readonly number[]
}

/** @throws RangeError if there is not one loss for each output */
export function measuresOf (graph: Graph, { outputNames }: tf.LayersModel, { outputs }: LoweredModel, options: MeasureOptions): Measure[] {
  const { loss, metrics = [], classWeights, sampleWeights } = options
  const losses = Array.isArray(loss) ? loss as readonly LossChoice[] : outputs.map(() => loss as LossChoice)
  if (losses.length !== outputs.length) throw new RangeError(`Expected ${outputs.length} losses, one for each output, but received ${losses.length}`)
  if (classWeights !== undefined && outputs.length > 1) throw new RangeError(`Expected a model with one output for classWeights but received one with ${outputs.length}; give sampleWeights`)
  return outputs.map((output, index) => {
    const found = findLoss(losses[index]!)
    const { dtype, shape } = found.target(shapeOf(output))
    return {
      loss: found,
      metrics: metrics.map(metric => findMetric(metric, found, shapeOf(output))),
      target: graph.placeholder(dtype, shape, `training/target/${outputNames[index]}`),
      weights: sampleWeights && graph.placeholder('float32', sampleWeights === 'rows' ? [-1] : [-1, -1], `training/weights/${outputNames[index]}`),
      classWeights
    }
  })
}

/** The whole loss first, then each output's own where there are several, then the metrics. @param model lowered to train, or to predict: then classes all count the same */
export function addFigures (scope: Scope, model: LoweredModel, measures: readonly Measure[], { isTraining }: { isTraining: boolean }): Figures {
  const losses = measures.map((measure, index) => lossOf(scope, model, index, isTraining ? measure : { ...measure, classWeights: undefined }))
  const loss = [...losses, ...model.penalties].reduce((sum, part) => scope.add(sum, part))
  const counts = measures.flatMap((measure, index) => measure.metrics.map(metric => metric.counts(scope, metricInputs(measure, model, index))))
  const scalars = scope.op('Pack', [[loss, ...(losses.length > 1 ? losses : [])]])
  return { loss, all: counts.length === 0 ? scalars : scope.op('ConcatV2', [[scalars, ...counts], scope.int(0)]), sizes: counts.map(count => shapeOf(count)[0]!) }
}

function lossOf (scope: Scope, { outputs, logits }: LoweredModel, index: number, { loss, target, weights, classWeights }: Measure): Output {
  const output = outputs[index]!
  let losses = loss.lossOfRows(scope, target, { output, logits: logits[index] })
  if (classWeights !== undefined) losses = scope.mul(losses, weightsOfClasses(scope, { target, losses, classes: shapeOf(output).at(-1)!, weights: classWeights }))
  if (weights !== undefined) losses = weigh(scope, losses, weights)
  return meanLoss(scope, losses)
}

/** Its gradient is the same for all; TensorFlow's own spreads it in a dozen operations. */
function meanLoss (scope: Scope, losses: Output): Output {
  const [mean] = withGradient(scope, [losses], [scope.meanOfAll(losses)], ([incoming]) => {
    const dimensions = scope.dimensions(losses)
    const [rows] = dimensions
    // How many rows there are is known before their losses are.
    const count = rows !== undefined && typeof rows !== 'number' && dimensions.length === 1 ? rows : scope.op('Size', [losses])
    const share = incoming && scope.div(incoming, scope.float(count))
    return [share && scope.op('Fill', [scope.shape(dimensions), share])]
  })
  return mean!
}

function metricInputs ({ loss, target }: Measure, { outputs, logits }: LoweredModel, index: number): MetricInputs {
  const output = outputs[index]!
  const origin = logits[index]
  return { target, output, ...(origin?.kind === 'softmax' && { logits: origin.output }), isSparse: loss.name === 'sparseCategoricalCrossentropy', isDecidedAlone: isDecidedAlone(loss, shapeOf(output)), isLogits: loss.fromLogits === true }
}

/** How the figures of `addFigures` lie, with the names that `tf.layers` writes into the history. */
export function figureLayout ({ outputNames }: tf.LayersModel, measures: readonly Measure[], { sizes }: Figures): FigureLayout {
  const isOne = measures.length === 1
  const metrics = measures.flatMap(({ metrics }, index) => metrics.map(metric => ({ metric, name: isOne ? metric.name : `${outputNames[index]}_${metric.name}` })))
  return {
    losses: ['loss', ...(isOne ? [] : outputNames.map(name => `${name}_loss`))],
    metrics: metrics.map(({ metric, name }, index) => ({ name, size: sizes[index]!, finish: counts => metric.finish(counts) }))
  }
}
