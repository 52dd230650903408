import t from 'tap'
import { classFigures, judge, keepTargets, worstMistakes } from '../../../src/training/report/judgement.ts'
import { rowRange, tensorDataset } from '../../../src/training/datasets/dataset.ts'

const probabilities = { dtype: 'float32', shape: [3, 3], data: Float32Array.of(0.7, 0.2, 0.1, 0.1, 0.8, 0.1, 0.5, 0.1, 0.4) } as const

t.test('a row counts for the class with the largest score', async t => {
  const judgement = judge(probabilities, [{ dtype: 'int32', shape: [2], data: Int32Array.of(0, 2) }, { dtype: 'int32', shape: [1, 1], data: Int32Array.of(2) }])!
  t.strictSame([...judgement.predicted], [0, 1, 0])
  t.strictSame([...judgement.actual], [0, 2, 2])
  t.ok(Math.abs(judgement.margins[1]! - 0.7) < 1e-6)
  t.strictSame([...worstMistakes(judgement, 9)], [1, 2], 'the surest first')
  t.strictSame([...worstMistakes(judgement, 1)], [1])
})

t.test('one score a row tells two classes apart', async t => {
  const judgement = judge({ dtype: 'float32', shape: [3, 1], data: Float32Array.of(0.9, 0.2, 0.4) }, [{ dtype: 'uint8', shape: [3], data: Uint8Array.of(0, 1, 0) }])!
  t.strictSame([...judgement.predicted], [1, 0, 0])
  t.strictSame(Array.from(judgement.scores, score => Number(score.toFixed(2))), [0.9, 0.8, 0.6])
  t.strictSame([...worstMistakes(judgement, 9)], [0, 1])
})

t.test('targets of one 1 among 0 are class numbers too', async t => {
  const judgement = judge(probabilities, [{ dtype: 'float32', shape: [3, 3], data: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) }])!
  t.strictSame([...judgement.actual], [0, 1, 2])
})

t.test('a model that tells no classes apart is not judged', async t => {
  t.equal(judge({ dtype: 'float32', shape: [2, 1], data: Float32Array.of(0.9, 0.2) }, [{ dtype: 'float32', shape: [2], data: Float32Array.of(0.5, 1) }]), undefined, 'a quantity')
  t.equal(judge(probabilities, [{ dtype: 'int32', shape: [3], data: Int32Array.of(0, 1, 3) }]), undefined, 'a class beyond the last')
  t.equal(judge({ dtype: 'float32', shape: [1, 2, 2], data: new Float32Array(4) }, [{ dtype: 'int32', shape: [1], data: Int32Array.of(0) }]), undefined, 'a sequence')
  t.equal(judge(probabilities, [{ dtype: 'float32', shape: [3, 2], data: new Float32Array(6) }]), undefined, 'other targets')
})

t.test('precision, recall and F1 of each class come from the matrix', async t => {
  t.strictSame(classFigures([[3, 1, 0], [1, 5, 0], [0, 0, 0]], ['a', 'b', 'c']), [
    { label: 'a', rows: 4, precision: 0.75, recall: 0.75, f1: 0.75 },
    { label: 'b', rows: 6, precision: 5 / 6, recall: 5 / 6, f1: 5 / 6 },
    { label: 'c', rows: 0, precision: null, recall: null, f1: null }
  ])
})

t.test('targets are kept in the order of the batches', async t => {
  const kept = keepTargets(tensorDataset({ dtype: 'float32', shape: [3, 1], data: new Float32Array(3) }, { dtype: 'int32', shape: [3], data: Int32Array.of(5, 6, 7) }))
  await kept.batch(rowRange(2, 3))
  await kept.batch(rowRange(0, 2))
  t.strictSame(kept.targets.map(({ data }) => [...data as Int32Array]), [[7], [5, 6]])
})
