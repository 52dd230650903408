import t from 'tap'
import { gatherRows, rowRange, tensorDataset } from '../../../src/training/datasets/dataset.ts'
import type { TensorValue } from '../../../src/tensorflow/index.ts'

const x: TensorValue = { dtype: 'uint8', shape: [4, 2], data: Uint8Array.of(0, 1, 10, 11, 20, 21, 30, 31) }
const y: TensorValue = { dtype: 'int64', shape: [4], data: BigInt64Array.of(0n, 1n, 2n, 3n) }

t.test('a batch has the rows asked for, in that order', async t => {
  t.strictSame(await tensorDataset(x, y).batch(Int32Array.of(3, 0, 3)), {
    inputs: [{ dtype: 'uint8', shape: [3, 2], data: Uint8Array.of(30, 31, 0, 1, 30, 31) }],
    targets: [{ dtype: 'int64', shape: [3], data: BigInt64Array.of(3n, 0n, 3n) }]
  })
})

t.test('tensors of other numbers of rows are refused', async t => {
  t.throws(() => tensorDataset([x, gatherRows(x, rowRange(0, 2))], y), { message: 'Expected as many rows in every tensor but received 4, 2, 4' })
})
