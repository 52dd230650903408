import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary } from '../../../src/tensorflow/index.ts'
import { buildPredictor, closePredictor, predict, type Predictor } from '../../../src/training/predictor.ts'
import { tf as tfjs } from '../../../src/training/tf.ts'
import { compareLowering, toValue } from '../../support/compare-lowering.ts'

loadLibrary()

const { layers } = tfjs
const apply = (layer: tf.layers.Layer, ...inputs: tf.SymbolicTensor[]): tf.SymbolicTensor => layer.apply(inputs.length === 1 ? inputs[0]! : inputs) as tf.SymbolicTensor

/** Rows of 5 steps that end early, begin late, have a gap and count in full. */
const TOKENS = tfjs.tensor2d([[1, 2, 0, 0, 0], [0, 0, 3, 4, 1], [2, 0, 3, 0, 4], [1, 2, 3, 4, 1]], undefined, 'int32')

const words = (): { input: tf.SymbolicTensor, embedded: tf.SymbolicTensor } => {
  const input = layers.input({ shape: [5], dtype: 'int32' })
  return { input, embedded: apply(layers.embedding({ inputDim: 5, outputDim: 3, maskZero: true }), input) }
}

const recurrent: [what: string, make: () => tf.layers.Layer][] = [
  ['simpleRNN', () => layers.simpleRNN({ units: 2 })],
  ['gru', () => layers.gru({ units: 2, returnSequences: true })],
  ['lstm', () => layers.lstm({ units: 2 })],
  ['lstm with sigmoid gates', () => layers.lstm({ units: 2, recurrentActivation: 'sigmoid', returnSequences: true })],
  ['lstm backwards with its state', () => layers.lstm({ units: 2, goBackwards: true, returnState: true })],
  ['bidirectional lstm', () => layers.bidirectional({ layer: layers.lstm({ units: 2, returnSequences: true }), mergeMode: 'concat' })],
  ['rnn of stacked cells', () => layers.rnn({ cell: [layers.gruCell({ units: 2 }), layers.lstmCell({ units: 3 })] })]
]

for (const [what, make] of recurrent) {
  t.test(`${what} keeps its state at steps that do not count, as in tf.layers`, async t => {
    const { input, embedded } = words()
    await compareLowering(t, tfjs.model({ inputs: input, outputs: apply(make(), embedded) }), {}, [TOKENS])
  })
}

t.test('layers in between pass on which steps count', async t => {
  const { input, embedded } = words()
  const stack = [layers.dropout({ rate: 0 }), layers.layerNormalization(), layers.timeDistributed({ layer: layers.dense({ units: 3 }) }), layers.activation({ activation: 'tanh' }),
    layers.gru({ units: 3, returnSequences: true }), layers.lstm({ units: 2 })]
  await compareLowering(t, tfjs.model({ inputs: input, outputs: stack.reduce((x, layer) => apply(layer, x), embedded) }), {}, [TOKENS])
})

t.test('masking masks steps of nothing but its value', async t => {
  const values = tfjs.tensor3d([[[1, 2], [-1, -1], [3, -1]], [[-1, -1], [-1, -1], [2, 2]]])
  const model = tfjs.sequential({ layers: [layers.masking({ maskValue: -1, inputShape: [3, 2] }), layers.lstm({ units: 2 })] })
  model.build([null, 3, 2])
  await compareLowering(t, model, { gradients: 'none' }, [values]) // tfjs has none of the masking itself
})

// tf.layers itself passes on the wrong mask here: it forgets the last input's, and gives the mask another axis.
const joins: [what: string, make: () => tf.layers.Layer, masked: number[][], whole: number[][]][] = [
  ['add counts the steps that count in both inputs', () => layers.add(), [[1, 2, 3, 0], [4, 3, 0, 1]], [[1, 2], [4, 3]]],
  ['concatenate counts the steps that count in both inputs', () => layers.concatenate(), [[1, 2, 3, 0], [4, 3, 0, 0]], [[1, 2], [4, 3]]],
  ['concatenate along the steps counts each input\'s own', () => layers.concatenate({ axis: 1 }), [[1, 2, 0, 0], [0, 3, 4, 0]], [[1, 2], [3, 4]]]
]

for (const [what, make, masked, whole] of joins) {
  t.test(what, async t => {
    const inputs = ['a', 'b'].map(name => layers.input({ shape: [null], dtype: 'int32', name }))
    const embedding = layers.embedding({ inputDim: 5, outputDim: 2, maskZero: true })
    const joined = apply(make(), ...inputs.map(input => apply(embedding, input)))
    const predictor = await predictorOf(tfjs.model({ inputs, outputs: apply(layers.gru({ units: 3 }), joined) }))
    t.teardown(() => closePredictor(predictor))
    const answers = await Promise.all([masked, whole].map(async tokens => {
      const [a, b] = tokens.map(row => ({ dtype: 'int32' as const, shape: [1, row.length], data: Int32Array.from(row) }))
      return Array.from(Object.values(await predict(predictor, { a: a!, b: b! }))[0]!.data as Float32Array)
    }))
    const [padded, exact] = answers as [number[], number[]]
    t.equal(padded.length, exact.length)
    // Products of more steps may be added up in another order.
    t.ok(padded.every((value, index) => Math.abs(value - exact[index]!) < 1e-6), 'the steps that do not count change nothing', { padded, exact })
  })
}

t.test('a step that counts in one input only counts after concatenation with one without a mask', async t => {
  const { input, embedded } = words()
  const joined = apply(layers.concatenate(), embedded, apply(layers.embedding({ inputDim: 5, outputDim: 2 }), input))
  await compareLowering(t, tfjs.model({ inputs: input, outputs: apply(layers.lstm({ units: 2 }), joined) }), { gradients: 'numeric' }, [TOKENS]) // tfjs has no gradient of the mask
})

t.test('a mask goes into a nested model and out of it', async t => {
  const inner = layers.input({ shape: [5, 3] })
  const nested = tfjs.model({ inputs: inner, outputs: apply(layers.lstm({ units: 3, returnSequences: true }), inner) })
  const { input, embedded } = words()
  const model = tfjs.model({ inputs: input, outputs: apply(layers.gru({ units: 2 }), apply(nested, embedded)) })
  const flat = words()
  const reference = tfjs.model({ inputs: flat.input, outputs: apply(layers.gru({ units: 2 }), apply(layers.lstm({ units: 3, returnSequences: true }), flat.embedded)) })
  await compareLowering(t, model, { reference }, [TOKENS])
})

async function predictorOf (model: tf.LayersModel): Promise<Predictor> {
  const values = await Promise.all(model.getWeights().map(async weight => [undefined, await toValue(weight)] as const))
  return buildPredictor(model, values)
}
