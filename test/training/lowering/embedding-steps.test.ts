import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary } from '../../../src/tensorflow/index.ts'
import { sparseCategoricalCrossentropy } from '../../../src/training/losses.ts'
import { adam } from '../../../src/training/optimizers.ts'
import { tf as tfjs } from '../../../src/training/tf.ts'
import { buildTrainingGraph } from '../../../src/training/training-graph.ts'
import { compareLowering } from '../../support/compare-lowering.ts'

loadLibrary()

const { layers } = tfjs
const STEPS = 4
const numbers = [tfjs.tensor2d([[1, 5, 0, 2], [3, 3, 3, 1], [0, 4, 2, 5]], undefined, 'int32')]

type After = (embedded: tf.SymbolicTensor) => tf.SymbolicTensor

const cases: [what: string, after: After][] = [
  ['an lstm', x => layers.lstm({ units: 3, recurrentActivation: 'sigmoid' }).apply(x) as tf.SymbolicTensor],
  ['a gru that goes backwards', x => layers.gru({ units: 3, goBackwards: true }).apply(x) as tf.SymbolicTensor],
  ['a bidirectional lstm', x => layers.bidirectional({ layer: layers.lstm({ units: 3, recurrentActivation: 'sigmoid', returnSequences: true }), mergeMode: 'concat' }).apply(x) as tf.SymbolicTensor],
  ['a simpleRNN, and a dense layer beside it', x => layers.concatenate().apply([layers.simpleRNN({ units: 3 }).apply(x) as tf.SymbolicTensor, layers.flatten().apply(x) as tf.SymbolicTensor]) as tf.SymbolicTensor]
]

for (const [what, after] of cases) {
  t.test(`an embedding before ${what} gives what tf.layers makes of it`, async t => {
    await compareLowering(t, embedded(after), {}, numbers)
  })
}

t.test('both directions of a layer walk along one lookup, with the steps first', async t => {
  const classify: After = x => layers.dense({ units: 2, activation: 'softmax' }).apply(layers.bidirectional({ layer: layers.lstm({ units: 3, recurrentActivation: 'sigmoid' }), mergeMode: 'concat' }).apply(x)) as tf.SymbolicTensor
  const { graph } = buildTrainingGraph({ model: embedded(classify), loss: sparseCategoricalCrossentropy(), optimizer: adam(), seed: 1 })
  t.teardown(() => { graph.dispose() })
  const operations = [...graph.operations()]
  const lookups = operations.filter(({ name, type }) => type === 'GatherV2' && name.startsWith('training/'))
  t.strictSame(lookups.map(operation => operation.output().shape), [[-1, STEPS, 5], [STEPS, -1, 5]], 'the first is left to whoever wants the rows first')
  t.equal(operations.filter(({ type }) => type === 'ScatterNd' || type === 'TensorportSegmentSum').length, 1, 'one gradient of the table')
})

function embedded (after: After): tf.LayersModel {
  const input = layers.input({ shape: [STEPS], dtype: 'int32' })
  return tfjs.model({ inputs: input, outputs: after(layers.embedding({ inputDim: 6, outputDim: 5 }).apply(input) as tf.SymbolicTensor) })
}
