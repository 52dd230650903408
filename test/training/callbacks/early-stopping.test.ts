import t from 'tap'
import type { TensorValue } from '../../../src/tensorflow/index.ts'
import type { TrainingCallback } from '../../../src/training/callbacks/callback.ts'
import { earlyStopping } from '../../../src/training/callbacks/early-stopping.ts'
import { Trainer } from '../../../src/training/trainer.ts'
import { control } from '../../support/training-control.ts'
import { onlyValues, points, smallTraining } from '../../support/small-training.ts'

/** @returns how many epochs were run */
async function epochsWith (callback: TrainingCallback, name: string, figures: number[]): Promise<number> {
  const given = control()
  await callback.onTrainBegin?.(given)
  for (const [epoch, figure] of figures.entries()) {
    await callback.onEpochEnd?.(epoch, { [name]: figure })
    if (given.isEnded) return epoch + 1
  }
  return figures.length
}

t.test('a loss may stand still for as many epochs as patience says', async t => {
  t.equal(await epochsWith(earlyStopping({ patience: 2 }), 'val_loss', [3, 2, 2.5, 1, 1, 1, 0]), 6)
  t.equal(await epochsWith(earlyStopping(), 'val_loss', [3, 2, 2.5, 1]), 3)
})

t.test('an accuracy is to rise, a loss to fall, unless the mode says otherwise', async t => {
  t.equal(await epochsWith(earlyStopping({ monitor: 'val_acc' }), 'val_acc', [0.1, 0.2, 0.15]), 3)
  t.equal(await epochsWith(earlyStopping({ monitor: 'val_acc' }), 'val_acc', [0.1, 0.2, 0.25]), 3)
  t.equal(await epochsWith(earlyStopping({ monitor: 'val_acc', mode: 'min' }), 'val_acc', [0.1, 0.2, 0.25]), 2)
})

t.test('less change than minDelta is none', async t => {
  t.equal(await epochsWith(earlyStopping({ minDelta: 0.1, patience: 2 }), 'val_loss', [1, 0.95, 0.92, 0.7]), 3)
})

t.test('NaN is never better, and a number always better than none', async t => {
  t.equal(await epochsWith(earlyStopping({ patience: 2 }), 'val_loss', [NaN, 5, NaN, NaN, 1]), 4)
})

t.test('a figure that is not measured is refused with those that are', async t => {
  await t.rejects(epochsWith(earlyStopping(), 'loss', [1]), { code: 'TRAIN_BAD_OPTION', message: '"val_loss" is not measured in this run; there are: loss' })
})

t.test('the model ends with the weights of its best epoch', async t => {
  const trainer = await Trainer.create(smallTraining())
  const byEpoch: TensorValue[][] = []
  const onEpochEnd = async (epoch: number): Promise<void> => {
    byEpoch.push(onlyValues(await trainer.values()))
    if (epoch === 1) trainer.learningRate = 1 // from here on it gets worse
  }
  const callbacks = [earlyStopping({ monitor: 'loss', patience: 3 }), { onEpochEnd }]
  const { history, epoch, stopped } = await trainer.fit({ data: points(64), epochs: 50, batchSize: 16, callbacks })
  const best = history['loss']!.indexOf(Math.min(...history['loss']!))
  t.equal(epoch.length, best + 4, 'three epochs more than the best')
  t.ok(best < 40)
  t.equal(stopped, false, 'no signal stopped it')
  t.strictSame(onlyValues(await trainer.values()), byEpoch[best])
  await trainer.close()
})

t.test('without restoreBestWeights the model keeps its last weights', async t => {
  const trainer = await Trainer.create(smallTraining())
  let last: TensorValue[] = []
  const callbacks = [earlyStopping({ monitor: 'acc', mode: 'min', restoreBestWeights: false }), { onEpochEnd: async () => { last = onlyValues(await trainer.values()) } }]
  await trainer.fit({ data: points(64), epochs: 20, batchSize: 16, callbacks })
  t.strictSame(onlyValues(await trainer.values()), last)
  await trainer.close()
})
