import t from 'tap'
import { steepest, traceLearningRates } from '../../src/training/learning-rate-finder.ts'
import { stepDecay } from '../../src/training/schedules.ts'
import { adam } from '../../src/training/optimizers.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { writeTinyFashion } from '../support/idx-files.ts'
import { runRecipe } from '../support/run-recipe.ts'
import { onlyValues, points, smallTraining } from '../support/small-training.ts'

t.test('rates rise evenly on a logarithmic scale, and end where the loss explodes', async t => {
  const tried: number[] = []
  const { rates, losses } = await traceLearningRates(async rate => {
    tried.push(rate)
    return rate > 5 ? 1e6 : 1
  }, { from: 0.001, to: 1000, steps: 7 })
  t.same(tried.map(rate => Number(rate.toPrecision(6))), [0.001, 0.01, 0.1, 1, 10])
  t.equal(rates.length, 4)
  for (const loss of losses) t.ok(Math.abs(loss - 1) < 1e-12, 'a loss that does not change is the same when smoothed')
})

t.test('a loss that is no number ends it too', async t => {
  const { rates } = await traceLearningRates(async rate => rate > 1 ? NaN : 1, { from: 0.01, to: 100, steps: 5 })
  t.equal(rates.length, 3)
})

t.test('the rate at which the loss falls fastest is suggested, and none if it never falls', t => {
  const rates = Array.from({ length: 23 }, (_, index) => 10 ** (index / 4 - 5))
  const unsettled = [9, 2, 9, 2, 9, 2, 9, 9, 9, 9]
  t.equal(steepest(rates, [...unsettled, 9, 9, 9, 9, 9, 8.5, 8, 6, 3, 1.5, 1, 0.9, 5]), rates[17])
  t.equal(steepest(rates, [...unsettled.fill(1), ...rates.slice(10).map((_, index) => 1 + index)]), undefined)
  t.end()
})

t.test('ranges that do not rise are refused', async t => {
  for (const range of [{ from: 0 }, { from: 1, to: 1 }, { steps: 1 }, { steps: 2.5 }]) await t.rejects(traceLearningRates(async () => 1, range), { name: 'RangeError', message: /^Expected rates that rise/ })
})

t.test('a trainer is afterwards as it was before: weights, optimizer, schedule', async t => {
  const create = async (): Promise<Trainer> => await Trainer.create({ ...smallTraining(), optimizer: adam({ learningRate: stepDecay(0.01, { factor: 0.5, every: 3 }) }) })
  const [tried, untouched] = [await create(), await create()]
  const { suggested, losses } = await tried.findLearningRate({ data: points(2000), batchSize: 100, from: 1e-5 })
  t.ok(suggested! > 1e-4 && suggested! < 10, `${suggested} of ${losses.join(' ')}`)
  t.ok(Math.min(...losses) < losses[0]!, 'something was learned on the way')
  t.equal(tried.learningRate, 0.01)
  for (const trainer of [tried, untouched]) await trainer.fit({ data: points(100), epochs: 2, batchSize: 16 })
  t.strictSame(onlyValues(await tried.values()), onlyValues(await untouched.values()))
  t.equal(tried.learningRate, untouched.learningRate)
  await tried.close()
  await untouched.close()
})

t.test('the command shows the curve and what to take, and exports nothing', async t => {
  const data = t.testdir()
  await writeTinyFashion(data, 300)
  const { code, out } = await runRecipe(['mlp', '--data', data, '--models', data, '--batch-size', '32', '--find-learning-rate'])
  t.equal(code, 0)
  t.match(out, /^ +1\.0e-7 +\d\.\d{4} {2}━+$/m)
  t.match(out, /^The loss falls fastest at \d\.\de[-+]\d: --learning-rate [\d.e-]+$/m)
  t.notMatch(out, 'Exported')
})
