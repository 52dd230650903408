import type tf from '@tensorflow/tfjs'
import { Graph, type Operation, type Output } from '../tensorflow/index.ts'
import type { Augmentation } from './augmentation.ts'
import { augmentBatch } from './augmentation/augment-batch.ts'
import { applyConstraints, constrainedWeights } from './constraints.ts'
import { feedOf, type Feed } from './feeds.ts'
import { addUpdates, type UpdateOptions } from './gradient-updates.ts'
import type { FigureLayout } from './history.ts'
import { lowerModel } from './lowering/lower-model.ts'
import { ModelVariables } from './lowering/model-variables.ts'
import { Scope } from './lowering/scope.ts'
import { addFigures, figureLayout, measuresOf, type MeasureOptions } from './measures.ts'
import { addInputs, built, type InputTypes } from './model-inputs.ts'
import { derivedSeed } from './random.ts'
import { addTurns, type Turns } from './turns.ts'
import type { FilledVariable } from './variable-values.ts'

/** What is trained, and how. */
export interface TrainingOptions extends MeasureOptions, UpdateOptions {
  readonly model: tf.LayersModel
  /** Decides augmentation, dropout and the order of rows; the first weights too, if the model was built under the same one. @see withSeed */
  readonly seed: number
  readonly inputTypes?: InputTypes
  /** Changes the pictures that are learned from, in this order, anew in each step. */
  readonly augment?: readonly Augmentation[]
}

/** A graph that learns, measures and predicts over the same variables. Owned by its maker. */
export interface TrainingGraph {
  readonly graph: Graph
  readonly model: tf.LayersModel
  readonly variables: ModelVariables
  /** undefined where steps have to come one after another. */
  readonly turns: Turns | undefined
  /** What the optimizer keeps. */
  readonly slots: readonly FilledVariable[]
  readonly inputs: readonly Feed[]
  readonly targets: readonly Feed[]
  /** What rows count, for each output; none unless asked for. */
  readonly weights: readonly Feed[]
  /** int64 scalar: 1 at the first step. */
  readonly step: Output
  /** float32 scalar. */
  readonly learningRate: Output
  /** What the figures are. */
  readonly layout: FigureLayout
  /** One step of learning: figures of the batch before the step, and the operations that change the variables. */
  readonly train: {
    readonly figures: Output
    readonly updates: readonly Operation[]
    /** In place of `updates` in steps that only gather gradients. */
    readonly gather: readonly Operation[]
  }
  /** Every so many steps the weights change. */
  readonly accumulate: number
  /** Figures of a batch that is not learned from. */
  readonly evaluate: Output
  /** What the model gives. */
  readonly outputs: readonly Output[]
}

/**
 * Lowers a model twice over the same variables, to train and to predict, and adds losses, metrics, gradients and the optimizer.
 *
 * @throws LoweringError if a layer can't be lowered
 */
export function buildTrainingGraph (options: TrainingOptions): TrainingGraph {
  const model = built(options.model)
  const graph = new Graph()
  try {
    return fillGraph(graph, model, options)
  } catch (error) {
    graph.dispose()
    throw error
  }
}

function fillGraph (graph: Graph, model: tf.LayersModel, options: TrainingOptions): TrainingGraph {
  const scope = new Scope(graph, 'training')
  const turns = options.precision === 'float16' ? undefined : addTurns(scope.under('turns'))
  const variables = new ModelVariables(graph, model, { readAfter: turns?.take })
  const inputs = addInputs(graph, model, options.inputTypes)
  const step = graph.placeholder('int64', [], 'training/step')
  const learningRate = graph.placeholder('float32', [], 'training/learning_rate')
  const seedOfUse = (use: number): number => derivedSeed(options.seed, RANDOM_USES + use)

  const predicting = lowerModel(graph, model, { inputs, variables })
  const measures = measuresOf(graph, model, predicting, options)
  const augmented = augmentBatch(scope.under('augmentation'), {
    augment: options.augment ?? [],
    inputs,
    targets: measures.map(({ target }) => target),
    step,
    seedOfUse: use => derivedSeed(options.seed, AUGMENTATION_USES + use)
  })
  const learning = lowerModel(graph, model, { inputs: augmented.inputs, variables, training: { step, seedOfUse }, prefix: 'training', ...(options.precision !== undefined && { precision: options.precision }) })
  const trained = addFigures(scope, learning, measures.map((measure, index) => ({ ...measure, target: augmented.targets[index]! })), { isTraining: true })
  const measured = addFigures(scope.under('evaluation'), predicting, measures, { isTraining: false })
  const updates = addUpdates(scope, { ...options, loss: trained.loss, variables: variables.trainable(model), step, learningRate, readAfter: turns?.take })
  const constraints = applyConstraints(scope, constrainedWeights(model.trainableWeights, weight => variables.of(weight)), updates.apply)
  const inTurn = (changes: readonly Operation[]): readonly Operation[] => turns === undefined ? changes : [turns.endAfter(changes)]
  return {
    graph,
    model,
    variables,
    turns,
    slots: updates.slots,
    inputs: inputs.map((input, index) => feedOf(input, `input "${model.inputNames[index]}"`)),
    targets: measures.map(({ target }, index) => feedOf(target, `the target of "${model.outputNames[index]}"`)),
    weights: measures.flatMap(({ weights }, index) => weights === undefined ? [] : [feedOf(weights, `the weights of "${model.outputNames[index]}"`)]),
    step,
    learningRate,
    layout: figureLayout(model, measures, measured),
    train: { figures: trained.all, updates: inTurn([...updates.apply, ...constraints, ...learning.updates]), gather: inTurn([...updates.gather, ...learning.updates]) },
    accumulate: options.accumulate ?? 1,
    evaluate: measured.all,
    outputs: predicting.outputs
  }
}

/** Seeds below this one are for the orders of epochs. */
const RANDOM_USES = 1_000_000
/** Seeds from this one on are for augmentation. */
const AUGMENTATION_USES = 3_000_000
