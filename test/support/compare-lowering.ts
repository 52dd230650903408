import type tf from '@tensorflow/tfjs'
import type { Test } from 'tap'
import { Graph, Session, type Output, type TensorValue } from '../../src/tensorflow/index.ts'
import { gradients as gradientsOfGraph } from '../../src/training/gradients.ts'
import { lowerModel } from '../../src/training/lowering/lower-model.ts'
import { ModelVariables } from '../../src/training/lowering/model-variables.ts'
import { Scope } from '../../src/training/lowering/scope.ts'
import { addInputs, built } from '../../src/training/model-inputs.ts'
import { seededRandom } from '../../src/training/random.ts'
import { tf as tfjs } from '../../src/training/tf.ts'
import { assignVariables } from '../../src/training/variable-values.ts'

// The pure JavaScript kernels also where tfjs-node is built: they share nothing with the TensorFlow that is tested.
await tfjs.setBackend('cpu')

/** Float32 sums in another order differ by about this much. */
const OUTPUT_TOLERANCE = 1e-5
const GRADIENT_TOLERANCE = 1e-4

/** Differences over a step of 0.005 in float32. */
const NUMERIC_TOLERANCE = 2e-2
const NUMERIC_STEP = 5e-3

export interface Comparison {
  /**
   * Where the gradients to compare with come from: tf.grads, or differences of the lowered model's own outputs for layers whose gradient
   * tfjs has not or has wrong; none for random layers.
   */
  gradients?: 'tfjs' | 'numeric' | 'none'
  /** A model of the same weights that gives what is right, where tfjs gives something else for the layer itself. */
  reference?: tf.LayersModel
}

/**
 * Compares a lowered model with the model itself, on weights and inputs that a seed decides: what it predicts, what it gives while
 * training, the gradients of all its weights and float inputs, and the weights that training moves without gradients.
 */
export async function compareLowering (t: Test, model: tf.LayersModel, { gradients = 'tfjs', reference }: Comparison = {}, inputs = randomInputs(built(model))): Promise<void> {
  randomizeWeights(built(model))
  reference?.setWeights(model.getWeights())
  const graph = new Graph()
  const session = new Session(graph)
  try {
    const placeholders = addInputs(graph, model)
    const variables = new ModelVariables(graph, model)
    await assignVariables(graph, session, await variables.initialValues())
    const feeds = await Promise.all(placeholders.map(async (placeholder, index) => [placeholder, await toValue(inputs[index]!)] as const))
    const predicting = lowerModel(graph, model, { inputs: placeholders, variables })
    const predicted = await session.run({ feeds, fetches: predicting.outputs })
    const expected = toList((reference ?? model).predict(inputs))
    for (const [index, tensor] of expected.entries()) await near(t, predicted[index]!, tensor, OUTPUT_TOLERANCE, `output ${index}`)
    const lowered = { graph, session, placeholders, variables, feeds }
    if (gradients !== 'none') await compareTraining(t, model, reference ?? model, inputs, lowered, gradients)
  } finally {
    await session.close()
    graph.dispose()
  }
}

interface Lowered {
  graph: Graph
  session: Session
  placeholders: Output[]
  variables: ModelVariables
  feeds: (readonly [Output, TensorValue])[]
}

async function compareTraining (t: Test, model: tf.LayersModel, reference: tf.LayersModel, inputs: tf.Tensor[], { graph, session, placeholders, variables, feeds }: Lowered, source: 'tfjs' | 'numeric'): Promise<void> {
  const scope = new Scope(graph, 'test')
  const training = { step: graph.scalar('int64', 1), seedOfUse: (use: number) => use }
  const lowered = lowerModel(graph, model, { inputs: placeholders, variables, training, prefix: 'training' })
  const projections = (await session.run({ feeds, fetches: lowered.outputs })).map(({ shape }, index) => tfjs.randomUniform([...shape], -1, 1, 'float32', 77 + index))
  const projected = await Promise.all(lowered.outputs.map(async (output, index) => scope.mul(output, graph.constant(await toValue(projections[index]!)))))
  const floats = placeholders.flatMap((placeholder, index) => placeholder.dtype === 'float32' ? [index] : [])
  const xs = [...variables.trainable(model).map(variable => variable.read()), ...floats.map(index => placeholders[index]!)]
  const found = gradientsOfGraph(graph, projected, xs)
  const values = await session.run({ feeds, fetches: found.filter(output => output !== undefined) })
  t.notOk(found.includes(undefined), 'every weight and input has a gradient')
  if (source === 'numeric') {
    for (const [index, x] of xs.entries()) await nearNumeric(t, values[index]!, x, { session, feeds, projected })
    return
  }
  const before = reference.getWeights().map(weight => weight.clone())
  const expected = gradientsOf(reference, inputs, floats, projections)
  for (const [index, x] of xs.entries()) await near(t, values[index]!, expected[index]!, GRADIENT_TOLERANCE, `gradient of ${x.name}`)
  reference.setWeights(before) // the averages have moved
  const trained = await session.run({ feeds, fetches: lowered.outputs, targets: lowered.updates })
  const outputs = toList(reference.apply(inputs, { training: true }) as tf.Tensor | tf.Tensor[])
  for (const [index, tensor] of outputs.entries()) await near(t, trained[index]!, tensor, OUTPUT_TOLERANCE, `output ${index} while training`)
  await compareMoved(t, model, reference, session, variables)
}

/** By tfjs: of all trainable weights, then of the float inputs. */
function gradientsOf (model: tf.LayersModel, inputs: tf.Tensor[], floats: number[], projections: tf.Tensor[]): tf.Tensor[] {
  const loss = (given: tf.Tensor[]): tf.Scalar => tfjs.tidy(() => {
    const outputs = toList(model.apply(given, { training: true }) as tf.Tensor | tf.Tensor[])
    return tfjs.addN<tf.Scalar>(outputs.map((output, index) => tfjs.sum(tfjs.mul(output, projections[index]!))))
  })
  const weights = model.trainableWeights.map(weight => weight.read() as tf.Variable)
  const byName = weights.length === 0 ? {} : tfjs.variableGrads(() => loss(inputs), weights).grads
  const ofInputs = (...given: tf.Tensor[]): tf.Scalar => loss(inputs.map((input, index) => floats.includes(index) ? given[floats.indexOf(index)]! : input))
  return [...weights.map(weight => byName[weight.name]!), ...(floats.length === 0 ? [] : tfjs.grads(ofInputs)(floats.map(index => inputs[index]!)))]
}

interface Function { session: Session, feeds: (readonly [Output, TensorValue])[], projected: Output[] }

/** A gradient against differences: each element of `x` a little up and a little down. */
async function nearNumeric (t: Test, gradient: TensorValue, x: Output, { session, feeds, projected }: Function): Promise<void> {
  const others = feeds.filter(([output]) => output.name !== x.name)
  const start = feeds.find(([output]) => output.name === x.name)?.[1] ?? (await session.run({ feeds, fetches: [x] }))[0]!
  const sumAt = async (index: number, change: number): Promise<number> => {
    const data = Float32Array.from(start.data as Float32Array)
    data[index]! += change
    const values = await session.run({ feeds: [...others, [x, { ...start, data }]], fetches: projected })
    return values.reduce((sum, value) => sum + (value.data as Float32Array).reduce((total, number) => total + number, 0), 0)
  }
  let worst = 0
  for (let index = 0; index < start.data.length; index++) {
    const expected = (await sumAt(index, NUMERIC_STEP) - await sumAt(index, -NUMERIC_STEP)) / (2 * NUMERIC_STEP)
    worst = Math.max(worst, Math.abs(expected - Number(gradient.data[index])))
  }
  t.ok(worst <= NUMERIC_TOLERANCE, `gradient of ${x.name} is what small differences give`, { worst })
}

/** Moving averages after one step of training. */
async function compareMoved (t: Test, model: tf.LayersModel, reference: tf.LayersModel, session: Session, variables: ModelVariables): Promise<void> {
  for (const [index, weight] of model.weights.entries()) {
    if (weight.trainable) continue
    const [value] = await session.run({ fetches: [(variables.of(weight)).read()] })
    await near(t, value!, reference.weights[index]!.read(), OUTPUT_TOLERANCE, `${weight.name} after a step`)
  }
}

/** Uniform −1 … 1; whole numbers from 0 to 4 for inputs of whole numbers. */
export function randomInputs (model: tf.LayersModel, rows = 3): tf.Tensor[] {
  return model.inputs.map(({ shape, dtype }, index) => {
    const sides = shape.map((side, axis) => side ?? (axis === 0 ? rows : 5))
    return dtype === 'int32' ? tfjs.cast(tfjs.floor(tfjs.randomUniform(sides, 0, 5, 'float32', 5 + index)), 'int32') : tfjs.randomUniform(sides, -1, 1, 'float32', 5 + index)
  })
}

/** So that no bias is 0 and no scale 1; variances stay positive. */
function randomizeWeights (model: tf.LayersModel): void {
  const random = seededRandom(99)
  model.setWeights(model.weights.map(({ name, shape }) => {
    const [low, high] = name.includes('variance') ? [0.5, 1.5] : [-0.6, 0.6]
    const size = (shape as number[]).reduce((product, side) => product * side, 1)
    return tfjs.tensor(Float32Array.from({ length: size }, () => low + (high - low) * random()), shape as number[])
  }))
}

export async function toValue (tensor: tf.Tensor): Promise<TensorValue> {
  return { dtype: tensor.dtype as 'float32' | 'int32', shape: tensor.shape, data: await tensor.data() as Float32Array }
}

/** Same shape, and no number further off than `tolerance` times its size (at least 1). */
async function near (t: Test, value: TensorValue, tensor: tf.Tensor, tolerance: number, what: string): Promise<void> {
  const expected = await tensor.data() as Float32Array
  t.strictSame(value.shape, tensor.shape, `${what} has the shape that tf.layers gives`)
  let worst = 0
  expected.forEach((number, index) => { worst = Math.max(worst, Math.abs(number - Number(value.data[index])) / Math.max(1, Math.abs(number))) })
  t.ok(worst <= tolerance, `${what} is what tf.layers gives`, { worst, expected: expected.slice(0, 8), found: value.data.slice(0, 8) })
}

function toList<Item> (items: Item | Item[]): Item[] {
  return Array.isArray(items) ? items : [items]
}
