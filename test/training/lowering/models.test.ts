import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { Graph, loadLibrary, Session } from '../../../src/tensorflow/index.ts'
import { lowerModel } from '../../../src/training/lowering/lower-model.ts'
import { ModelVariables } from '../../../src/training/lowering/model-variables.ts'
import { registerLowering } from '../../../src/training/lowering/registry.ts'
import { addInputs } from '../../../src/training/model-inputs.ts'
import { tf as tfjs } from '../../../src/training/tf.ts'
import { compareLowering } from '../../support/compare-lowering.ts'

loadLibrary()

const { layers } = tfjs
const apply = (layer: tf.layers.Layer, ...inputs: tf.SymbolicTensor[]): tf.SymbolicTensor => layer.apply(inputs.length === 1 ? inputs[0]! : inputs) as tf.SymbolicTensor

t.test('a sequential model is lowered, built or not', async t => {
  const model = tfjs.sequential({ layers: [layers.conv2d({ filters: 3, kernelSize: 3, inputShape: [7, 6, 2], activation: 'relu' }), layers.batchNormalization(), layers.maxPooling2d({ poolSize: 2 }), layers.flatten(), layers.dense({ units: 4, activation: 'softmax' })] })
  t.notOk(model.built)
  await compareLowering(t, model)
})

t.test('a layer used twice shares its weights', async t => {
  const input = layers.input({ shape: [5] })
  const shared = layers.dense({ units: 5, activation: 'tanh' })
  await compareLowering(t, tfjs.model({ inputs: input, outputs: apply(shared, apply(shared, input)) }))
})

t.test('a batch normalization used twice moves its averages twice', async t => {
  const input = layers.input({ shape: [5] })
  const shared = layers.batchNormalization({ momentum: 0.5 })
  await compareLowering(t, tfjs.model({ inputs: input, outputs: apply(shared, apply(layers.activation({ activation: 'tanh' }), apply(shared, input))) }))
})

t.test('several inputs and outputs keep their order', async t => {
  const left = layers.input({ shape: [4] })
  const right = layers.input({ shape: [3] })
  const joined = apply(layers.concatenate(), apply(layers.dense({ units: 3 }), left), right)
  const outputs = [apply(layers.dense({ units: 2, activation: 'softmax' }), joined), apply(layers.dense({ units: 1 }), joined)]
  await compareLowering(t, tfjs.model({ inputs: [right, left], outputs }))
})

t.test('a residual block adds what went around it', async t => {
  const input = layers.input({ shape: [6, 6, 3] })
  const inner = apply(layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same' }), apply(layers.reLU(), input))
  await compareLowering(t, tfjs.model({ inputs: input, outputs: apply(layers.globalAveragePooling2d({}), apply(layers.add(), input, inner)) }))
})

t.test('a model inside a model, used twice, is walked like the model itself', async t => {
  const inner = tfjs.sequential({ layers: [layers.dense({ units: 4, inputShape: [4], activation: 'relu' }), layers.dense({ units: 4 })] })
  const input = layers.input({ shape: [4] })
  await compareLowering(t, tfjs.model({ inputs: input, outputs: apply(layers.add(), apply(inner, input), apply(inner, apply(layers.elu(), input))) }))
})

t.test('a functional model of several inputs inside a model gets each of them', async t => {
  const [a, b] = [layers.input({ shape: [3] }), layers.input({ shape: [3] })]
  const inner = tfjs.model({ inputs: [a, b], outputs: [apply(layers.multiply(), a, b), apply(layers.add(), a, b)] })
  const [x, y] = [layers.input({ shape: [3] }), layers.input({ shape: [3] })]
  await compareLowering(t, tfjs.model({ inputs: [x, y], outputs: inner.apply([y, x]) as tf.SymbolicTensor[] }))
})

t.test('a sequential model that starts with a model is lowered', async t => {
  const base = tfjs.sequential({ layers: [layers.dense({ units: 4, inputShape: [3], activation: 'relu' })] })
  await compareLowering(t, tfjs.sequential({ layers: [base, layers.dense({ units: 2 })] }))
})

t.test('weights of a layer that is not trainable get no gradient, and its averages keep still', async t => {
  const frozen = layers.batchNormalization({ inputShape: [4], trainable: false })
  const model = tfjs.sequential({ layers: [frozen, layers.dense({ units: 2 })] })
  model.build([null, 4])
  const graph = new Graph()
  const variables = new ModelVariables(graph, model)
  const lowered = lowerModel(graph, model, { inputs: addInputs(graph, model), variables, training: { step: graph.scalar('int64', 1), seedOfUse: use => use } })
  t.strictSame(lowered.updates, [])
  t.strictSame(variables.trainable(model).map(({ shape }) => shape), [[4, 2], [2]])
  graph.dispose()
})

t.test('a layer without a lowering is named, with what can be done', async t => {
  class Remember extends tfjs.layers.Layer {
    static readonly className = 'Remember'
  }
  const input = layers.input({ shape: [3, 2] })
  const model = tfjs.model({ inputs: input, outputs: apply(new Remember({ name: 'remember' }), input) })
  const graph = new Graph()
  t.throws(() => lowerModel(graph, model, { inputs: addInputs(graph, model), variables: new ModelVariables(graph, model) }),
    { code: 'TRAIN_CANNOT_LOWER', message: /^Layer remember can not be lowered: there is no lowering for its class Remember;.*registerLowering/ })
  graph.dispose()
})

t.test('an option without a lowering is named, with what can be done', async t => {
  const model = tfjs.sequential({ layers: [layers.conv2dTranspose({ filters: 1, kernelSize: 2, strides: 2, batchInputShape: [null, null, null, 1], name: 'grow' })] })
  model.build([null, null, null, 1])
  const graph = new Graph()
  t.throws(() => lowerModel(graph, model, { inputs: addInputs(graph, model), variables: new ModelVariables(graph, model) }),
    { code: 'TRAIN_CANNOT_LOWER', message: 'Layer grow can not be lowered: its strides is [2,2]; give the model a fixed input size' })
  graph.dispose()
})

t.test('a layer of your own brings its lowering', async t => {
  class Doubled extends tfjs.layers.Layer {
    static readonly className = 'Doubled'
    override call (inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      return tfjs.mul(Array.isArray(inputs) ? inputs[0]! : inputs, 2)
    }
  }
  registerLowering('Doubled', ({ scope, input }) => scope.mul(input, 2))
  const input = layers.input({ shape: [3] })
  await compareLowering(t, tfjs.model({ inputs: input, outputs: apply(new Doubled(), input) }))
})

t.test('regularizers add to the loss what tf.layers adds, once for each layer', async t => {
  const { l1, l2, l1l2 } = tfjs.regularizers
  const model = tfjs.sequential({
    layers: [
      layers.dense({ units: 3, inputShape: [2], kernelRegularizer: l2({ l2: 0.1 }), biasRegularizer: l1({ l1: 0.2 }) }),
      layers.dense({ units: 2, kernelRegularizer: l1l2({ l1: 0.3, l2: 0.4 }) })
    ]
  })
  model.build([null, 2])
  const graph = new Graph()
  const session = new Session(graph)
  const variables = new ModelVariables(graph, model)
  const { penalties } = lowerModel(graph, model, { inputs: addInputs(graph, model), variables, training: { step: graph.scalar('int64', 1), seedOfUse: use => use } })
  const values = await session.run({ feeds: (await variables.initialValues()).map(([variable, value]) => [variable.read(), value]), fetches: penalties })
  const found = values.reduce((sum, value) => sum + Number(value.data[0]), 0)
  const expected = model.calculateLosses().reduce((sum, loss) => sum + loss.dataSync()[0]!, 0)
  t.equal(penalties.length, 3)
  t.ok(Math.abs(found - expected) < 1e-5, 'the same sum', { found, expected })
  await session.close()
  graph.dispose()
})
