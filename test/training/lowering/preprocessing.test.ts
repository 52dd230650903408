import type tf from '@tensorflow/tfjs'
import t, { type Test } from 'tap'
import { loadLibrary, type TensorValue } from '../../../src/tensorflow/index.ts'
import { buildPredictor, closePredictor, predict } from '../../../src/training/predictor.ts'
import { tf as tfjs } from '../../../src/training/tf.ts'
import { compareLowering, toValue } from '../../support/compare-lowering.ts'

loadLibrary()

/** What the lowered layer makes of the input. */
async function lowered (t: Test, layer: tf.layers.Layer, input: tf.Tensor): Promise<TensorValue> {
  const model = tfjs.sequential({ layers: [tfjs.layers.inputLayer({ inputShape: input.shape.slice(1), dtype: input.dtype, name: 'x' }), layer] })
  const predictor = await buildPredictor(model, [])
  t.teardown(async () => { await closePredictor(predictor) })
  return Object.values(await predict(predictor, { x: await toValue(input) }))[0]!
}

async function same (t: Test, found: TensorValue, expected: tf.Tensor): Promise<void> {
  t.strictSame(found.shape, expected.shape)
  const numbers = await expected.data()
  numbers.forEach((number, index) => t.ok(Math.abs(number - Number(found.data[index])) < 1e-5, `${number} and ${String(found.data[index])}`))
}

t.test('layers may follow those that change the size of pictures', async t => {
  const { resizing, centerCrop, conv2d, inputLayer } = tfjs.layers
  const model = tfjs.sequential({ layers: [inputLayer({ inputShape: [9, 8, 2] }), resizing({ height: 7, width: 6 }), centerCrop({ height: 5, width: 4 }), conv2d({ filters: 3, kernelSize: 3 })] })
  t.strictSame(model.outputShape, [null, 3, 2, 3])
  await compareLowering(t, model, { gradients: 'none' })
})

t.test('of one column too many the first goes', async t => {
  const pictures = tfjs.tensor4d([1, 2, 3, 4, 5, 6], [1, 2, 3, 1])
  await same(t, await lowered(t, tfjs.layers.centerCrop({ height: 2, width: 2 }), pictures), tfjs.tensor4d([2, 3, 5, 6], [1, 2, 2, 1]))
})

const encodings: [mode: 'multiHot' | 'count' | 'oneHot', rows: number[][], vectors: number[][]][] = [
  ['multiHot', [[0, 2, 2], [3, 1, 1]], [[1, 0, 1, 0], [0, 1, 0, 1]]],
  ['count', [[0, 2, 2], [3, 1, 1]], [[1, 0, 2, 0], [0, 2, 0, 1]]],
  ['oneHot', [[2], [0]], [[0, 0, 1, 0], [1, 0, 0, 0]]]
]

for (const [outputMode, rows, vectors] of encodings) {
  t.test(`categories become vectors: ${outputMode}`, async t => {
    await same(t, await lowered(t, tfjs.layers.categoryEncoding({ numTokens: 4, outputMode }), tfjs.tensor2d(rows, undefined, 'int32')), tfjs.tensor2d(vectors))
  })
}

t.test('what can not be lowered says what to take', async t => {
  await t.rejects(lowered(t, tfjs.layers.categoryEncoding({ numTokens: 4, outputMode: 'tfIdf' }), tfjs.zeros([1, 4], 'int32')), { message: /its outputMode is "tfIdf"; multiply its counts/ })
})
