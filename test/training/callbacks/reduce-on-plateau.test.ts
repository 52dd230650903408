import t from 'tap'
import { reduceOnPlateau, type ReduceOnPlateauOptions } from '../../../src/training/callbacks/reduce-on-plateau.ts'
import { control } from '../../support/training-control.ts'

/** @returns the learning rate after each epoch, 1 at first */
async function ratesWith (options: ReduceOnPlateauOptions, losses: number[]): Promise<number[]> {
  const callback = reduceOnPlateau(options)
  const given = control()
  await callback.onTrainBegin?.(given)
  const rates: number[] = []
  for (const [epoch, loss] of losses.entries()) {
    await callback.onEpochEnd?.(epoch, { val_loss: loss })
    rates.push(given.learningRate)
  }
  return rates
}

t.test('the rate falls each time the figure has stood still for the patience', async t => {
  t.strictSame(await ratesWith({ patience: 2, factor: 0.5 }, [3, 3, 3, 3, 3, 2, 2]), [1, 1, 0.5, 0.5, 0.25, 0.25, 0.25])
})

t.test('epochs of the cooldown do not count', async t => {
  t.strictSame(await ratesWith({ patience: 1, factor: 0.5, cooldown: 2 }, [3, 3, 3, 3, 3]), [1, 0.5, 0.5, 0.25, 0.25])
})

t.test('the rate never falls under its least', async t => {
  t.strictSame(await ratesWith({ patience: 1, factor: 0.1, minLearningRate: 0.05 }, [3, 3, 3, 3]), [1, 0.1, 0.05, 0.05])
})

t.test('a change under one ten thousandth is none', async t => {
  t.strictSame(await ratesWith({ patience: 1, factor: 0.5 }, [3, 2.99995, 2.9998]), [1, 0.5, 0.5])
})

t.test('a factor that would not lower the rate is refused', async t => {
  t.throws(() => reduceOnPlateau({ factor: 1 }), { message: 'Expected a factor between 0 and 1 but received 1' })
})
