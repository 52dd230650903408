import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { TrainingCallback } from '../../src/training/callbacks/callback.ts'
import { checkpoint } from '../../src/training/callbacks/checkpoint.ts'
import { earlyStopping } from '../../src/training/callbacks/early-stopping.ts'
import { reduceOnPlateau } from '../../src/training/callbacks/reduce-on-plateau.ts'
import type { FitOptions } from '../../src/training/fit-run.ts'
import type { History } from '../../src/training/history.ts'
import { readSafetensors, writeSafetensors } from '../../src/training/safetensors.ts'
import { Trainer } from '../../src/training/trainer.ts'
import type { TensorValue } from '../../src/tensorflow/index.ts'
import { onlyValues, points, smallTraining } from '../support/small-training.ts'

const data = points(100)
const validation = points(40, 2)
const EPOCHS = 6

interface Outcome { history: History, values: TensorValue[], learningRate: number }

/** A run in a trainer of its own, as in a process of its own. */
async function run (changes: Partial<FitOptions> = {}): Promise<Outcome> {
  const trainer = await Trainer.create(smallTraining())
  try {
    const history = await trainer.fit({ data, validation, epochs: EPOCHS, batchSize: 16, ...changes })
    return { history, values: onlyValues(await trainer.values()), learningRate: trainer.learningRate }
  } finally {
    await trainer.close()
  }
}

/** Those whose memory matters: the learning rate falls in epoch 3, the best weights come back at the end. */
const remembering = (): TrainingCallback[] => [reduceOnPlateau({ monitor: 'acc', mode: 'min', patience: 2 }), earlyStopping({ monitor: 'val_loss', patience: 20 })]

/** Stops after some rows of an epoch, as Ctrl-C does. */
function interrupted (path: string, at: { epoch: number, rowsDone: number }, callbacks: TrainingCallback[]): Partial<FitOptions> {
  const stop = new AbortController()
  const onStep: TrainingCallback['onStep'] = ({ epoch, rowsDone }) => { if (epoch === at.epoch && rowsDone === at.rowsDone) stop.abort() }
  return { callbacks: [...callbacks, { onStep }, checkpoint({ path })], signal: stop.signal }
}

for (const at of [{ epoch: 0, rowsDone: 16 }, { epoch: 3, rowsDone: 48 }, { epoch: 3, rowsDone: 100 }]) {
  t.test(`a run that is stopped after ${at.rowsDone} rows of epoch ${at.epoch} and resumed ends as one that was not, to the bit`, async t => {
    const path = join(t.testdir(), 'runs', 'last.safetensors')
    const whole = await run({ callbacks: [...remembering(), checkpoint({ path: join(t.testdirName, 'other') })] })
    const first = await run(interrupted(path, at, remembering()))
    t.equal(first.history.stopped, true)
    t.equal(first.history.epoch.length, at.epoch)
    t.notSame(first.values, whole.values)
    const second = await run({ callbacks: [...remembering(), checkpoint({ path })], resume: path })
    t.strictSame(second, whole)
    t.strictSame(await readdir(join(path, '..')), ['last.safetensors'], 'nothing else is left')
  })
}

t.test('a run that is over is not gone on with, but ends as it did', async t => {
  const path = join(t.testdir(), 'last')
  const callbacks = (): TrainingCallback[] => [earlyStopping({ monitor: 'acc', mode: 'min', patience: 1 }), checkpoint({ path })]
  const whole = await run({ callbacks: callbacks() })
  t.ok(whole.history.epoch.length < EPOCHS, 'it ended early')
  t.strictSame(await run({ callbacks: callbacks(), resume: path }), whole)
})

t.test('more epochs can be added to a run that is over', async t => {
  const path = join(t.testdir(), 'last')
  await run({ epochs: 2, callbacks: [checkpoint({ path })] })
  const more = await run({ callbacks: [checkpoint({ path })], resume: path })
  t.strictSame(more, await run({ callbacks: [checkpoint({ path })] }))
})

t.test('the best checkpoint is that of the best epoch, and a trainer takes its weights over', async t => {
  const path = join(t.testdir(), 'best')
  const byEpoch: TensorValue[][] = []
  const trainer = await Trainer.create(smallTraining())
  const callbacks = [checkpoint({ path, keep: 'best', monitor: 'loss', mode: 'max' }), { onEpochEnd: async () => { byEpoch.push(onlyValues(await trainer.values())) } }]
  const { history } = await trainer.fit({ data, epochs: 4, callbacks })
  const best = history['loss']!.indexOf(Math.max(...history['loss']!))
  t.ok(best < 3, 'not the last')
  await trainer.restore(path)
  t.strictSame(onlyValues(await trainer.values()), byEpoch[best])
  await trainer.close()
})

t.test('a checkpoint of another run is refused with what differs', async t => {
  const path = join(t.testdir(), 'last')
  await run({ epochs: 1, callbacks: [checkpoint({ path })] })
  await t.rejects(run({ batchSize: 8, resume: path }), { code: 'TRAIN_BAD_CHECKPOINT', message: `Checkpoint ${path}: it is of another run: seed 3, batch size 16, 100 rows there, seed 3, batch size 8, 100 rows here` })
  await t.rejects(run({ callbacks: [earlyStopping()], resume: path }), { code: 'TRAIN_BAD_CHECKPOINT', message: /it has states of the callbacks \[checkpoint\], not of earlyStopping in place 1$/ })
})

t.test('what is no checkpoint is refused with the reason', async t => {
  const folder = t.testdir({ text: 'a text that is long enough' })
  await t.rejects(run({ resume: join(folder, 'none') }), { code: 'TRAIN_BAD_CHECKPOINT', message: /none: ENOENT/ })
  await t.rejects(run({ resume: join(folder, 'text') }), { code: 'TRAIN_BAD_CHECKPOINT', message: /is not a safetensors file/ })
  await writeSafetensors(join(folder, 'other'), { tensors: new Map(), metadata: {} })
  await t.rejects(run({ resume: join(folder, 'other') }), { code: 'TRAIN_BAD_CHECKPOINT', message: /it is no checkpoint of a training run$/ })
})

t.test('a checkpoint of another model is refused by the first variable that differs', async t => {
  const path = join(t.testdir(), 'last')
  await run({ epochs: 1, callbacks: [checkpoint({ path })] })
  const { tensors, metadata } = await readSafetensors(path)
  await writeSafetensors(path, { tensors: new Map([...tensors, ['variables/0', { dtype: 'float32', shape: [3, 8], data: new Float32Array(24) }]]), metadata })
  await t.rejects(run({ callbacks: [checkpoint({ path })], resume: path }), { code: 'TRAIN_BAD_CHECKPOINT', message: /Expected shape \[2, 8\] for .+ but received \[3, 8\]$/ })
})
