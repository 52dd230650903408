import t from 'tap'
import { recipes } from '../../../src/recipes/index.ts'
import { choice, float, grid, integer, placeOf, sample, valueAt, valuesOf } from '../../../src/training/tuning/search-space.ts'

const SPACE = {
  optimizer: choice(['adam', 'sgd']),
  momentum: float(0, 0.9, { when: { optimizer: ['sgd'] } }),
  filters: integer(16, 64, { step: 16 }),
  learningRate: float(1e-4, 1e-1, { isLog: true })
}

t.test('a sample is the same for the same seed and number, and another for others', async t => {
  t.strictSame(sample(SPACE, 1, 5), sample(SPACE, 1, 5))
  t.notSame(sample(SPACE, 1, 5), sample(SPACE, 1, 6))
  t.notSame(sample(SPACE, 1, 5), sample(SPACE, 2, 5))
})

t.test('samples stay within bounds and on their steps, and every step comes up', async t => {
  const samples = Array.from({ length: 300 }, (_, number) => sample(SPACE, 3, number))
  t.strictSame([...new Set(samples.map(({ filters }) => filters))].sort(), [16, 32, 48, 64])
  t.ok(samples.every(({ learningRate }) => Number(learningRate) >= 1e-4 && Number(learningRate) <= 1e-1))
})

t.test('a logarithmic range gives each order of magnitude as often', async t => {
  const rates = Array.from({ length: 900 }, (_, number) => Number(sample(SPACE, 4, number)['learningRate']))
  for (const low of [1e-4, 1e-3, 1e-2]) {
    const count = rates.filter(rate => rate >= low && rate < low * 10).length
    t.ok(count > 240 && count < 360, `${count} of 900 from ${low}`)
  }
})

t.test('a hyperparameter under a condition comes only where it holds', async t => {
  const samples = Array.from({ length: 60 }, (_, number) => sample(SPACE, 5, number))
  t.ok(samples.every(({ optimizer, momentum }) => (momentum !== undefined) === (optimizer === 'sgd')))
  t.ok(samples.some(({ optimizer }) => optimizer === 'sgd'))
})

t.test('a grid has every combination once, without what does not count', async t => {
  const space = { optimizer: choice(['adam', 'sgd']), momentum: choice([0, 0.9], { when: { optimizer: ['sgd'] } }), units: integer(8, 16, { step: 8 }) }
  t.strictSame(grid(space, 3), [
    { optimizer: 'adam', units: 8 }, { optimizer: 'adam', units: 16 },
    { optimizer: 'sgd', momentum: 0, units: 8 }, { optimizer: 'sgd', momentum: 0, units: 16 },
    { optimizer: 'sgd', momentum: 0.9, units: 8 }, { optimizer: 'sgd', momentum: 0.9, units: 16 }
  ])
})

t.test('a range without steps gives a grid points that are evenly spread on its scale', async t => {
  t.strictSame(valuesOf(float(0, 1), 3), [0, 0.5, 1])
  t.strictSame(valuesOf(float(1, 100, { isLog: true }), 3).map(value => Number(value).toFixed(6)), ['1.000000', '10.000000', '100.000000'])
  t.strictSame(valuesOf(float(0, 0.3, { step: 0.1 }), 99), [0, 0.1, 0.2, 0.3])
  t.strictSame(valuesOf(integer(3, 5), 99), [3, 4, 5].filter((_, index) => index < 99))
})

t.test('a value and its place lead to each other', async t => {
  for (const dimension of [choice(['a', 'b', 'c']), integer(1, 9), float(-2, 2), float(1e-5, 1, { isLog: true })]) {
    for (const place of [0.01, 0.3, 0.77, 0.99]) {
      const value = valueAt(dimension, place)
      const again = valueAt(dimension, Math.min(placeOf(dimension, value), 0.999999))
      if (typeof value === 'number') t.ok(Math.abs(value - Number(again)) < 1e-4, `${value} at ${place}`)
      else t.equal(again, value)
    }
  }
})

t.test('bounds that are none are refused', async t => {
  t.throws(() => choice([]), RangeError)
  t.throws(() => integer(0.5, 2), RangeError)
  t.throws(() => float(2, 1), RangeError)
  t.throws(() => float(0, 1, { isLog: true }), { message: /lower bound over 0/ })
  t.throws(() => float(0, 1, { step: 0 }), RangeError)
})

t.test('what recipes are tuned by are settings and options that they have', async t => {
  for (const { name, settings, options = {}, tuning } of recipes) {
    for (const [dimension, { when = {} }] of Object.entries(tuning?.space ?? {})) {
      for (const key of [dimension, ...Object.keys(when)]) t.ok(key in settings || key in options, `${name}: ${key}`)
    }
  }
  t.ok(recipes.filter(({ tuning }) => tuning !== undefined).length > 10)
})
