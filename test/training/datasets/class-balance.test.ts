import t, { type Test } from 'tap'
import type { TensorValue } from '../../../src/tensorflow/index.ts'
import { rowRange, tensorDataset, type Dataset } from '../../../src/training/datasets/dataset.ts'
import { foldRows, splitDataset, stratifiedFoldRows } from '../../../src/training/datasets/folds.ts'
import { holdOutOfClasses } from '../../../src/training/datasets/hold-out.ts'
import { oversample, oversampledRows } from '../../../src/training/datasets/oversample.ts'

/** 12 rows of class 0, 5 of class 1, 3 of class 2, mixed. */
const labels = Int32Array.of(0, 0, 1, 0, 2, 0, 0, 1, 0, 0, 1, 0, 2, 0, 1, 0, 0, 2, 1, 0)
const numbers: TensorValue = { dtype: 'int32', shape: [20], data: rowRange(0, 20) }
const data: Dataset = tensorDataset(numbers, { dtype: 'int32', shape: [20], data: labels })

const ofClass = (rows: Int32Array, label: number): number => rows.filter(row => labels[row] === label).length
const counts = (rows: Int32Array): number[] => [0, 1, 2].map(label => ofClass(rows, label))

/** The row numbers that a dataset gives, its targets checked. */
async function rowsOf (t: Test, dataset: Dataset): Promise<Int32Array> {
  const { inputs, targets } = await dataset.batch(rowRange(0, dataset.rows))
  const rows = inputs[0]!.data as Int32Array
  t.strictSame(targets[0]!.data, rows.map(row => labels[row]!))
  return rows
}

t.test('every class has as many rows, every row is there, none much more often than its like', t => {
  const rows = oversampledRows(labels, 4)
  t.strictSame(counts(rows), [12, 12, 12])
  const times = Array.from(labels, (_, row) => rows.filter(other => other === row).length)
  t.strictSame(times.filter((_, row) => labels[row] === 0), new Array(12).fill(1))
  t.strictSame(times.filter((_, row) => labels[row] === 1).sort(), [2, 2, 2, 3, 3])
  t.strictSame(times.filter((_, row) => labels[row] === 2), [4, 4, 4])
  t.end()
})

t.test('the seed decides which rows are repeated once more', t => {
  t.strictSame(oversampledRows(labels, 4), oversampledRows(labels, 4))
  const choices = new Set([1, 2, 3, 4, 5, 6].map(seed => oversampledRows(labels, seed).join()))
  t.ok(choices.size > 1)
  t.end()
})

t.test('an oversampled dataset gives the repeated rows with their targets', async t => {
  const larger = oversample(data, labels, 4)
  t.equal(larger.rows, 36)
  t.strictSame(await rowsOf(t, larger), oversampledRows(labels, 4))
  t.throws(() => oversample(data, labels.subarray(1), 4), { message: 'Expected a label for each of 20 rows but received 19' })
})

t.test('the same share of each class is held out, and no row is on both sides', t => {
  const { kept, heldOut } = holdOutOfClasses(labels, 0.25, 7)
  t.strictSame(counts(heldOut), [3, 1, 1])
  t.strictSame(Int32Array.from([...kept, ...heldOut]).sort(), rowRange(0, 20))
  t.strictSame(holdOutOfClasses(labels, 0.25, 7), { kept, heldOut })
  t.notSame(holdOutOfClasses(labels, 0.25, 8), { kept, heldOut })
  t.strictSame(holdOutOfClasses([5, 9, 5, 5], 0.4, 1).kept.includes(1), true, 'the one row of a class is kept')
  t.end()
})

for (const [name, folds] of [['folds', foldRows(20, 3, 9)], ['stratified folds', stratifiedFoldRows(labels, 3, 9)]] as const) {
  t.test(`${name} hold every row out once and keep it else`, t => {
    t.strictSame(folds.map(({ heldOut }) => heldOut.length), [7, 7, 6])
    t.strictSame(Int32Array.from(folds.flatMap(({ heldOut }) => [...heldOut])).sort(), rowRange(0, 20))
    for (const { kept, heldOut } of folds) t.strictSame(Int32Array.from([...kept, ...heldOut]).sort(), rowRange(0, 20))
    t.end()
  })
}

t.test('stratified folds have the same rows of each class, but for one', t => {
  const held = stratifiedFoldRows(labels, 3, 9).map(({ heldOut }) => counts(heldOut))
  for (const label of [0, 1, 2]) {
    const ofFolds = held.map(count => count[label]!)
    t.ok(Math.max(...ofFolds) - Math.min(...ofFolds) <= 1, `class ${label}: ${ofFolds.join(', ')}`)
  }
  t.end()
})

t.test('a fold splits a dataset into views', async t => {
  const [fold] = foldRows(20, 4, 2)
  const { data: learned, validation } = splitDataset(data, fold!)
  t.strictSame(await rowsOf(t, learned), fold!.kept)
  t.strictSame(await rowsOf(t, validation), fold!.heldOut)
})

t.test('folds that can not be are refused', async t => {
  for (const folds of [1, 4, 1.5]) t.throws(() => foldRows(3, folds, 1), { message: `Expected 2 to 3 folds for 3 rows but received ${folds}` })
})
