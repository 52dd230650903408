import { DatasetError } from '../errors.ts'
import { elementCount, Session, type Output, type SessionOptions, type TensorValue, type Variable } from '../tensorflow/index.ts'
import { eachBatch, type BatchPlan } from './batches.ts'
import type { Batch } from './datasets/dataset.ts'
import { fit } from './feeds.ts'
import { FigureSums } from './history.ts'
import type { Schedule } from './schedules.ts'
import { trainingThreads } from './session-threads.ts'
import { buildTrainingGraph, type TrainingGraph, type TrainingOptions } from './training-graph.ts'
import { assignVariables, fillVariables, readVariables } from './variable-values.ts'

/** While one runs, the next is made ready by TensorFlow: threads hand a run of a small model over in a fifth of the time that it takes. */
const STEPS_AT_ONCE = 2

/** All that a step of learning depends on, besides its batch and the graph. */
export interface LearnerState {
  readonly steps: number
  /** null: the optimizer's schedule still counts. */
  readonly learningRate: number | null
  /** The model's variables, then the optimizer's. */
  readonly variables: readonly TensorValue[]
}

/** A training graph with the session that holds its variables: learns a batch, measures one. Owned by its maker: `close` it. */
export class Learner {
  readonly graph: TrainingGraph
  readonly session: Session
  /** Steps learned so far. */
  steps = 0
  #learningRate: number | Schedule
  #turns = 0

  private constructor (graph: TrainingGraph, session: Session, learningRate: number | Schedule) {
    this.graph = graph
    this.session = session
    this.#learningRate = learningRate
  }

  /** @throws LoweringError if a layer can't be lowered */
  static async create (options: TrainingOptions, sessionOptions: SessionOptions): Promise<Learner> {
    const graph = buildTrainingGraph(options)
    const intraOpThreads = sessionOptions.intraOpThreads ?? trainingThreads(graph.model)
    const session = new Session(graph.graph, { ...sessionOptions, ...(intraOpThreads !== undefined && { intraOpThreads }) })
    const learner = new Learner(graph, session, options.optimizer.learningRate)
    try {
      await assignVariables(graph.graph, session, await graph.variables.initialValues())
      await fillVariables(graph.graph, session, graph.slots)
      return learner
    } catch (error) {
      await learner.close()
      throw error
    }
  }

  /** Of the next step. */
  get learningRate (): number {
    return this.learningRateAfter(this.steps)
  }

  /** Of the step after so many. */
  learningRateAfter (steps: number): number {
    return typeof this.#learningRate === 'number' ? this.#learningRate : this.#learningRate(Math.floor(steps / this.graph.accumulate))
  }

  set learningRate (value: number) {
    this.#learningRate = value
  }

  /** Steps that may be under way at once: each learns from what the one before it left. */
  get mostAtOnce (): number {
    return this.graph.turns === undefined ? 1 : STEPS_AT_ONCE
  }

  /** One step. Its feeds are copied before this returns, so the next batch can be prepared meanwhile. @returns the batch's figures before the step */
  async learn (batch: Batch, rate = this.learningRate): Promise<Float32Array> {
    const { turns, step, learningRate, train, accumulate } = this.graph
    const ofBatch = this.#feeds(batch)
    const turn = turns === undefined ? [] : [[turns.number, int64(++this.#turns)] as const]
    const feeds = [...turn, ...ofBatch, [learningRate, { dtype: 'float32', shape: [], data: Float32Array.of(rate) }] as const, [step, int64(++this.steps)] as const]
    try {
      return numbers(await this.session.run({ feeds, fetches: [train.figures], targets: this.steps % accumulate === 0 ? train.updates : train.gather }))
    } catch (error) {
      if (turns !== undefined) await this.session.run({ feeds: turn, targets: [turns.end] })
      throw error
    }
  }

  /** Figures over all rows of the plan. @param prefix put before their names */
  async measure (plan: BatchPlan, prefix = ''): Promise<Record<string, number>> {
    const sums = new FigureSums(this.graph.layout)
    await eachBatch(plan, {
      begin: async batch => numbers(await this.session.run({ feeds: this.#feeds(batch), fetches: [this.graph.evaluate] })),
      finish: (figures, rows) => { sums.add(figures, rows); return true }
    })
    return sums.logs(prefix)
  }

  async predict ({ inputs }: Batch): Promise<TensorValue[]> {
    const { graph } = this
    return await this.session.run({ feeds: graph.inputs.map((input, index) => fit(input, inputs[index])), fetches: graph.outputs })
  }

  /** The model's variables with their present values. */
  async values (): Promise<[Variable, TensorValue][]> {
    return await readVariables(this.session, this.#modelVariables)
  }

  async setValues (values: readonly TensorValue[]): Promise<void> {
    await this.#assign(this.#modelVariables, values)
  }

  async state (): Promise<LearnerState> {
    const variables = await readVariables(this.session, this.#allVariables)
    return { steps: this.steps, learningRate: typeof this.#learningRate === 'number' ? this.#learningRate : null, variables: variables.map(([, value]) => value) }
  }

  /** @throws RangeError if the variables are not as many, or not of the same shapes */
  async restore ({ steps, learningRate, variables }: LearnerState): Promise<void> {
    await this.#assign(this.#allVariables, variables)
    this.steps = steps
    if (learningRate !== null) this.#learningRate = learningRate
  }

  /** Waits for what is under way. Idempotent. */
  async close (): Promise<void> {
    await this.session.close()
    this.graph.graph.dispose()
  }

  get #modelVariables (): Variable[] {
    return this.graph.variables.all.map(({ variable }) => variable)
  }

  get #allVariables (): Variable[] {
    return [...this.#modelVariables, ...this.graph.slots.map(({ variable }) => variable)]
  }

  async #assign (variables: readonly Variable[], values: readonly TensorValue[]): Promise<void> {
    if (variables.length !== values.length) throw new RangeError(`Expected ${variables.length} variables but received ${values.length}`)
    variables.forEach(({ name, shape }, index) => {
      const given = values[index]!.shape
      if (given.join() !== shape.join()) throw new RangeError(`Expected shape [${shape.join(', ')}] for ${name} but received [${given.join(', ')}]`)
    })
    await assignVariables(this.graph.graph, this.session, variables.map((variable, index) => [variable, values[index]!] as const))
  }

  #feeds ({ inputs, targets, weights }: Batch): (readonly [Output, TensorValue])[] {
    const { graph } = this
    if (weights !== undefined && graph.weights.length === 0) throw new DatasetError('The batches have weights: create the trainer with sampleWeights')
    return [
      ...graph.inputs.map((input, index) => fit(input, inputs[index])),
      ...graph.targets.map((target, index) => fit(target, targets[index])),
      ...graph.weights.map((weight, index) => fit(weight, weights === undefined ? ones(targets[0]!.shape.slice(0, weight.shape.length)) : weights[index]))
    ]
  }
}

function int64 (value: number): TensorValue {
  return { dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(value)) }
}

/** Of batches that say nothing about it, all rows count alike. */
function ones (shape: readonly number[]): TensorValue {
  return { dtype: 'float32', shape, data: new Float32Array(elementCount(shape)).fill(1) }
}

/** The one tensor that was fetched. */
function numbers ([figures]: readonly TensorValue[]): Float32Array {
  return figures!.data as Float32Array
}
