import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { Graph, loadLibrary, Session, type TensorValue } from '../../../src/tensorflow/index.ts'
import { gradients } from '../../../src/training/gradients.ts'
import { lowerModel } from '../../../src/training/lowering/lower-model.ts'
import { ModelVariables } from '../../../src/training/lowering/model-variables.ts'
import { addInputs } from '../../../src/training/model-inputs.ts'
import { derivedSeed } from '../../../src/training/random.ts'
import { tf as tfjs } from '../../../src/training/tf.ts'
import { assignVariables } from '../../../src/training/variable-values.ts'

loadLibrary()

const { layers } = tfjs
const ROWS = 64

interface Drawn { output: Float32Array, gradient: Float32Array }

/** What a random layer makes of an input while training, and the gradient of its sum. */
async function draw (layer: tf.layers.Layer, shape: number[], { seed = 1, step = 1, fill = 1 } = {}): Promise<Drawn> {
  const input = layers.input({ shape })
  const model = tfjs.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor })
  const graph = new Graph()
  const session = new Session(graph)
  try {
    const inputs = addInputs(graph, model)
    const steps = graph.placeholder('int64', [])
    const variables = new ModelVariables(graph, model)
    await assignVariables(graph, session, await variables.initialValues())
    const lowered = lowerModel(graph, model, { inputs, variables, training: { step: steps, seedOfUse: use => derivedSeed(seed, use) } })
    const size = ROWS * shape.reduce((product, side) => product * side, 1)
    const x: TensorValue = { dtype: 'float32', shape: [ROWS, ...shape], data: new Float32Array(size).fill(fill) }
    const [gradient] = gradients(graph, lowered.outputs, inputs)
    const feeds = [[inputs[0]!, x], [steps, { dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(step)) }]] as const
    const [output, dx] = await session.run({ feeds, fetches: [lowered.outputs[0]!, gradient!] })
    return { output: output!.data as Float32Array, gradient: dx!.data as Float32Array }
  } finally {
    await session.close()
    graph.dispose()
  }
}

const mean = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length
const deviation = (values: Float32Array): number => Math.sqrt(mean(values.map(value => (value - mean(values)) ** 2)))

t.test('dropout keeps about 1 − rate and scales it up, and its gradient goes the same way', async t => {
  const { output, gradient } = await draw(layers.dropout({ rate: 0.2 }), [100])
  const kept = output.filter(value => value !== 0)
  t.ok(kept.every(value => Math.abs(value - 1.25) < 1e-6))
  t.ok(Math.abs(kept.length / output.length - 0.8) < 0.02, 'of 6400', { kept: kept.length })
  t.strictSame(gradient, output)
})

t.test('the same seed and step drop the same, another seed or step something else', async t => {
  const { output } = await draw(layers.dropout({ rate: 0.5 }), [100])
  t.strictSame((await draw(layers.dropout({ rate: 0.5 }), [100])).output, output)
  t.notSame((await draw(layers.dropout({ rate: 0.5 }), [100], { step: 2 })).output, output)
  t.notSame((await draw(layers.dropout({ rate: 0.5 }), [100], { seed: 2 })).output, output)
})

t.test('two dropouts in one model do not drop the same', async t => {
  const twice = tfjs.sequential({ layers: [layers.dropout({ rate: 0.5, inputShape: [100] }), layers.dropout({ rate: 0.5 })] })
  const { output } = await draw(twice, [100])
  const kept = output.filter(value => value !== 0).length / output.length
  t.ok(Math.abs(kept - 0.25) < 0.02, 'a quarter is left', { kept })
})

t.test('a noise shape drops rows and steps together', async t => {
  const { output } = await draw(layers.dropout({ rate: 0.5, noiseShape: [null as unknown as number, 1] }), [10])
  for (let row = 0; row < ROWS; row++) t.equal(new Set(output.subarray(row * 10, row * 10 + 10)).size, 1)
})

t.test('spatialDropout1d drops whole channels', async t => {
  const { output } = await draw(layers.spatialDropout1d({ rate: 0.5 }), [5, 4])
  const channels = Array.from({ length: ROWS * 4 }, (_, index) => new Set(Array.from({ length: 5 }, (_, step) => output[(index >> 2) * 20 + step * 4 + (index & 3)])))
  t.ok(channels.every(values => values.size === 1))
  t.ok(channels.some(values => values.has(0)) && channels.some(values => values.has(2)))
})

t.test('gaussianNoise adds noise of its deviation, which gradients do not see', async t => {
  const { output, gradient } = await draw(layers.gaussianNoise({ stddev: 0.3 }), [100], { fill: 5 })
  t.ok(Math.abs(mean(output) - 5) < 0.02)
  t.ok(Math.abs(deviation(output) - 0.3) < 0.02)
  t.ok(gradient.every(value => value === 1))
})

t.test('gaussianDropout multiplies by noise around 1', async t => {
  const { output, gradient } = await draw(layers.gaussianDropout({ rate: 0.2 }), [100], { fill: 2 })
  t.ok(Math.abs(mean(output) - 2) < 0.05)
  t.ok(Math.abs(deviation(output) - 2 * Math.sqrt(0.2 / 0.8)) < 0.05)
  t.ok(gradient.every((value, index) => Math.abs(value * 2 - output[index]!) < 1e-5))
})

t.test('alphaDropout gives two values, whose mean and deviation are those of selu\'s input', async t => {
  const { output } = await draw(layers.alphaDropout({ rate: 0.3 }), [100], { fill: 0 })
  const values = [...new Set(output)]
  t.equal(values.length, 2)
  t.ok(Math.abs(mean(output)) < 0.05, 'the mean of the input', { mean: mean(output) })
})

const recurrent: [what: string, make: (options: object) => tf.layers.Layer][] = [
  ['simpleRNN', options => layers.simpleRNN({ units: 1, ...options })],
  ['gru', options => layers.gru({ units: 1, ...options })],
  ['lstm', options => layers.lstm({ units: 1, ...options })],
  ['lstm, fused', options => layers.lstm({ units: 1, recurrentActivation: 'sigmoid', ...options })]
]

for (const [what, make] of recurrent) {
  t.test(`${what} drops inputs and states by seed, and nothing while predicting`, async t => {
    for (const option of ['dropout', 'recurrentDropout']) {
      const layer = make({ [option]: 0.5 })
      const { output } = await draw(layer, [3, 1])
      t.ok(new Set(output).size > 1, `rows of the same numbers differ by ${option}`)
      t.strictSame((await draw(layer, [3, 1])).output, output)
      t.notSame((await draw(layer, [3, 1], { step: 2 })).output, output)
    }
    t.equal(new Set((await draw(make({}), [3, 1])).output).size, 1, 'rows of the same numbers do not differ without')
  })
}

t.test('a recurrent layer drops the same at every step', async t => {
  // A sum of inputs: h' = h + x, with x of 0 or 2 at all steps, or h of 0 or 2.
  const sum = { units: 1, activation: 'linear', useBias: false, kernelInitializer: 'ones', recurrentInitializer: 'ones' } as const
  const inputs = await draw(layers.simpleRNN({ ...sum, dropout: 0.5 }), [3, 1])
  t.strictSame([...new Set(inputs.output)].sort(), [0, 6])
  const states = await draw(layers.simpleRNN({ ...sum, recurrentDropout: 0.5 }), [3, 1])
  t.strictSame([...new Set(states.output)].sort(), [1, 7])
})
