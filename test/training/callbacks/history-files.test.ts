import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { csvHistory, formatCsv, jsonHistory } from '../../../src/training/callbacks/history-files.ts'
import { Trainer } from '../../../src/training/trainer.ts'
import { points, smallTraining } from '../../support/small-training.ts'

t.test('both files hold the history that fit gives, after each epoch', async t => {
  const folder = join(t.testdir(), 'runs')
  const [csv, json] = [join(folder, 'history.csv'), join(folder, 'history.json')]
  const linesByEpoch: number[] = []
  const callbacks = [csvHistory(csv), jsonHistory(json), { onEpochEnd: async () => { linesByEpoch.push((await readFile(csv, 'utf8')).split('\n').length) } }]
  const trainer = await Trainer.create(smallTraining())
  const history = await trainer.fit({ data: points(64), validation: points(32, 2), epochs: 3, callbacks })
  await trainer.close()
  t.strictSame(linesByEpoch, [3, 4, 5], 'the header, the epochs, the end of the last line')
  t.equal(await readFile(csv, 'utf8'), formatCsv(history))
  t.strictSame(JSON.parse(await readFile(json, 'utf8')), history)
  t.strictSame((await readdir(folder)).sort(), ['history.csv', 'history.json'])
})

t.test('CSV has a line for each epoch and a column for each figure', async t => {
  t.equal(formatCsv({ epoch: [0, 1], history: { loss: [0.5, NaN], val_acc: [1, 0.25] }, stopped: false }), 'epoch,loss,val_acc\n0,0.5,1\n1,NaN,0.25\n')
})
