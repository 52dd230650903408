import t from 'tap'
import { AttentionLayer } from '../../src/recipes/attention-layer.ts'
import { loadLibrary } from '../../src/tensorflow/index.ts'
import { tf as tfjs } from '../../src/training/tf.ts'
import { compareLowering } from '../support/compare-lowering.ts'

loadLibrary()

t.test('a layer of one’s own is lowered to what tf.layers computes, gradients too', async t => {
  const { layers } = tfjs
  await compareLowering(t, tfjs.sequential({ layers: [layers.dense({ units: 4, inputShape: [6, 3] }), new AttentionLayer({}), layers.dense({ units: 1 })] }))
})

t.test('a model with it is saved and loaded as any other', async t => {
  const model = tfjs.sequential({ layers: [new AttentionLayer({ inputShape: [5, 2] })] })
  const loaded = await tfjs.models.modelFromJSON(model.toJSON(null, false) as never)
  loaded.setWeights(model.getWeights())
  const x = tfjs.randomUniform([3, 5, 2], -1, 1, 'float32', 1)
  const [expected, found] = [model.predict(x), loaded.predict(x)].map(y => Array.from((y as ReturnType<typeof tfjs.tensor>).dataSync()))
  t.strictSame(found, expected)
})

t.test('without a word that differs, all steps count alike', async t => {
  const model = tfjs.sequential({ layers: [new AttentionLayer({ inputShape: [4, 2] })] })
  const y = model.predict(tfjs.fill([1, 4, 2], 0.25)) as ReturnType<typeof tfjs.tensor>
  t.strictSame([y.shape, Array.from(y.dataSync(), value => Math.round(value * 1e6) / 1e6)], [[1, 2], [0.25, 0.25]])
})
