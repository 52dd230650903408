import t from 'tap'
import { median, percentile, spreadOf } from '../../load/statistics.ts'

t.test('takes the middle of an odd number of values, in whatever order they come', async t => {
  t.equal(median([9, 1, 5]), 5)
})

t.test('takes the mean of the two in the middle of an even number of values', async t => {
  t.equal(median([4, 1, 3, 2]), 2.5)
})

t.test('gives the median with the least and the most', async t => {
  t.strictSame(spreadOf([10, 2, 3]), { median: 3, min: 2, max: 10 })
})

t.test('gives the value that 99 of 100 do not exceed', async t => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index)
  t.equal(percentile(values, 0.99), 99)
  t.equal(percentile(values, 0.5), 50)
  t.equal(percentile(values, 1), 100)
})

t.test('refuses to make a figure of nothing', async t => {
  t.throws(() => spreadOf([]), RangeError)
  t.throws(() => percentile([], 0.5), RangeError)
})
