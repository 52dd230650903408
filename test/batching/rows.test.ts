import t from 'tap'
import { stackParts, stackRows, takeRows } from '../../src/batching/rows.ts'
import type { TensorValue } from '../../src/tensorflow/index.ts'

const x: TensorValue = { dtype: 'uint8', shape: [4, 2], data: Uint8Array.of(0, 1, 10, 11, 20, 21, 30, 31) }

t.test('what was cut into rows is stacked again', async t => {
  t.strictSame(stackRows([takeRows(x, 0, 3, 3), takeRows(x, 3, 1, 1)]), x)
})

t.test('the last row is repeated until there are as many rows as asked for', async t => {
  t.strictSame(takeRows(x, 2, 2, 4), { dtype: 'uint8', shape: [4, 2], data: Uint8Array.of(20, 21, 30, 31, 30, 31, 30, 31) })
})

t.test('rows that fill the tensor are not copied', async t => {
  t.equal((takeRows(x, 1, 2, 2).data as Uint8Array).buffer, (x.data as Uint8Array).buffer)
})

t.test('nothing is stacked to nothing', async t => {
  t.throws(() => stackRows([]), { message: 'Expected at least one tensor' })
})

t.test('rows that are stacked in parts stay where they are, the last one again until there are enough', async t => {
  const parts = stackParts([takeRows(x, 0, 1), takeRows(x, 1, 2)], 5)
  t.match(parts, { dtype: 'uint8', shape: [5, 2] })
  t.strictSame('parts' in parts && parts.parts, [[0, 1], [10, 11, 20, 21], [20, 21], [20, 21]].map(numbers => Uint8Array.from(numbers)))
  t.ok('parts' in parts && parts.parts.every(({ buffer }) => buffer === (x.data as Uint8Array).buffer))
  t.equal(stackParts([x], 4), x, 'what is whole already is as it is')
})
