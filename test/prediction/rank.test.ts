import t from 'tap'
import { rankRows, type RankOptions } from '../../src/prediction/rank.ts'
import type { TensorValue } from '../../src/tensorflow/dtype.ts'

const options: RankOptions = { model: 'm', activation: 'none', labels: ['cat', 'dog', 'cow'], topK: 2 }

function scores (rows: number[][]): TensorValue {
  return { dtype: 'float32', shape: [rows.length, rows[0]?.length ?? 0], data: Float32Array.from(rows.flat()) }
}

t.test('ranks each row, the most probable class first', async t => {
  t.strictSame(rankRows(scores([[0.25, 0.5, 0.25], [0.5, 0.125, 0.375]]), 2, options), [
    {
      predicted_class: 1,
      label: 'dog',
      confidence: 0.5,
      all_probabilities: [0.25, 0.5, 0.25],
      top: [{ class: 1, label: 'dog', confidence: 0.5 }, { class: 0, label: 'cat', confidence: 0.25 }]
    },
    {
      predicted_class: 0,
      label: 'cat',
      confidence: 0.5,
      all_probabilities: [0.5, 0.125, 0.375],
      top: [{ class: 0, label: 'cat', confidence: 0.5 }, { class: 2, label: 'cow', confidence: 0.375 }]
    }
  ])
})

t.test('among equals the lower class number comes first', async t => {
  const [ranking] = rankRows(scores([[0.25, 0.25, 0.25, 0.25]]), 1, { ...options, topK: 4 })
  t.strictSame(ranking?.top.map(({ class: index }) => index), [0, 1, 2, 3])
})

t.test('as many classes as are asked for are those that sorting all would give', async t => {
  for (let round = 0; round < 200; round++) {
    const classes = 2 + round % 60
    const numbers = Array.from({ length: classes }, (_, index) => (index * 37 + round * 11) % (1 + round % 23) / 23) // many are equal
    const sorted = numbers.map((_, index) => index).sort((a, b) => numbers[b]! - numbers[a]! || a - b)
    const topK = 1 + round % 40
    const [ranking] = rankRows({ dtype: 'float64', shape: [1, classes], data: Float64Array.from(numbers) }, 1, { ...options, topK })
    t.strictSame(ranking!.top.map(({ class: index }) => index), sorted.slice(0, topK), `${topK} of ${classes}`)
  }
})

t.test('a class without a label is called by its number', async t => {
  t.equal(rankRows(scores([[0, 0, 0, 1]]), 1, options)[0]?.label, '3')
  t.equal(rankRows(scores([[0, 1]]), 1, { ...options, labels: undefined })[0]?.label, '1')
})

t.test('softmax gives probabilities that sum to one, however large the scores', async t => {
  const [ranking] = rankRows(scores([[1000, 1000 + Math.LN2, -1000]]), 1, { ...options, activation: 'softmax' })
  const [first, second, third] = ranking?.all_probabilities ?? []
  // float32 holds 1000.69… to 3e-5 only, which is the tolerance here
  t.ok(Math.abs((first as number) - 1 / 3) < 3e-5 && Math.abs((second as number) - 2 / 3) < 3e-5)
  t.equal(third, 0)
})

t.test('one number is the probability of class 1', async t => {
  t.strictSame(rankRows(scores([[0.75]]), 1, { ...options, topK: 5 })[0]?.all_probabilities, [0.25, 0.75])
  const flat: TensorValue = { dtype: 'float32', shape: [2], data: Float32Array.of(0.25, 0.75) }
  t.strictSame(rankRows(flat, 2, options).map(({ label }) => label), ['cat', 'dog'])
})

t.test('sigmoid squeezes one number, and each of several, by itself', async t => {
  t.strictSame(rankRows(scores([[0]]), 1, { ...options, activation: 'sigmoid' })[0]?.all_probabilities, [0.5, 0.5])
  t.strictSame(rankRows(scores([[0, 0, -1000]]), 1, { ...options, activation: 'sigmoid' })[0]?.all_probabilities, [0.5, 0.5, 0])
})

t.test('one number that still needs softmax is taken as a logit', async t => {
  t.strictSame(rankRows(scores([[0]]), 1, { ...options, activation: 'softmax' })[0]?.all_probabilities, [0.5, 0.5])
})

t.test('sides beyond the rows all count as classes', async t => {
  const deep: TensorValue = { dtype: 'float64', shape: [1, 1, 1, 2], data: Float64Array.of(0.1, 0.9) }
  t.equal(rankRows(deep, 1, options)[0]?.predicted_class, 1)
})

t.test('half precision scores are read as the numbers they are', async t => {
  const half: TensorValue = { dtype: 'float16', shape: [1, 2], data: Uint16Array.of(0x3400, 0x3a00) }
  t.strictSame(rankRows(half, 1, options)[0]?.all_probabilities, [0.25, 0.75])
})

t.test('a probability that is not a number is the model’s failure, not an answer', async t => {
  t.throws(() => rankRows(scores([[0.5, NaN]]), 1, options), { code: 'SERVE_INFERENCE_FAILED', message: /NaN as the probability of class 1/ })
  t.throws(() => rankRows(scores([[Infinity, 0]]), 1, { ...options, activation: 'softmax' }), { code: 'SERVE_INFERENCE_FAILED' })
})

t.test('scores that are not one row for each input are the model’s failure', async t => {
  t.throws(() => rankRows(scores([[0.5, 0.5]]), 2, options), { code: 'SERVE_INFERENCE_FAILED', message: /\[1, 2\] for 2 rows/ })
  t.throws(() => rankRows({ dtype: 'float32', shape: [1, 0], data: new Float32Array() }, 1, options), { code: 'SERVE_INFERENCE_FAILED' })
  t.throws(() => rankRows({ dtype: 'int32', shape: [1, 2], data: Int32Array.of(1, 2) }, 1, options), { code: 'SERVE_INFERENCE_FAILED', message: /int32/ })
})
