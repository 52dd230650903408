import t from 'tap'
import { finishedLine, formatDuration, progressLine, ProgressReporter } from '../../src/training/progress.ts'

const LOGS = { loss: 0.43211, acc: 0.84249 }

t.test('a line shows the share, the figures and the time that is left', async t => {
  t.equal(progressLine({ title: 'Epoch 1/5', done: 15_000, total: 60_000, elapsedMs: 8000, logs: LOGS }, 200),
    'Epoch 1/5  ━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌  15000/60000  loss 0.4321  accuracy 0.8425  24 s left')
  t.equal(progressLine({ title: 'Photos', done: 0, total: 4, elapsedMs: 10 }, 200), 'Photos  ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌  0/4')
})

t.test('in a narrow terminal the bar gives way first, so that the time left can be seen', async t => {
  const line = (columns: number): string => progressLine({ title: 'Epoch 1/5', done: 1, total: 2, elapsedMs: 1000, logs: LOGS }, columns)
  t.equal(line(70), 'Epoch 1/5  ━━━━━━━╌╌╌╌╌╌  1/2  loss 0.4321  accuracy 0.8425  1 s left')
  t.equal(line(70).length, 69)
  t.equal(line(58), 'Epoch 1/5  1/2  loss 0.4321  accuracy 0.8425  1 s left')
  t.equal(line(20), 'Epoch 1/5  1/2  los')
})

t.test('a finished line has all figures', async t => {
  t.equal(finishedLine({ title: 'Epoch 2/5', total: 60_000, elapsedMs: 21_400, logs: { ...LOGS, val_loss: 0.5, val_acc: 0.8 } }),
    'Epoch 2/5  60000 in 21 s  loss 0.4321  accuracy 0.8425  val loss 0.5000  val accuracy 0.8000')
})

t.test('durations are as people say them', async t => {
  t.strictSame([0, 499, 59_400, 60_000, 200_000, 3_900_000].map(formatDuration), ['0 s', '0 s', '59 s', '1 min 0 s', '3 min 20 s', '1 h 5 min'])
})

function recorded (isTTY: boolean): { written: string[], reporter: ProgressReporter, pass: (ms: number) => void } {
  const written: string[] = []
  let now = 0
  const reporter = new ProgressReporter({ isTTY, columns: 60, write: text => written.push(text) }, () => now)
  return { written, reporter, pass: ms => { now += ms } }
}

const step = (rowsDone: number) => ({ epoch: 0, epochs: 2, rowsDone, rows: 100, logs: { loss: 1 }, steps: rowsDone, learningRate: 0.1 })

t.test('a terminal is redrawn ten times a second at most', async t => {
  const { written, reporter, pass } = recorded(true)
  const callback = reporter.callback()
  for (let done = 1; done <= 10; done++) {
    pass(30)
    await callback.onStep?.(step(done))
  }
  t.equal(written.length, 3)
  t.ok(written.every(text => text.startsWith('\r\u001b[KEpoch 1/2  ') && !text.includes('\n')))
  await callback.onEpochEnd?.(0, { loss: 1 })
  t.equal(written.at(-1), '\r\u001b[KEpoch 1/2  100 in 0 s  loss 1.0000\n')
})

t.test('a log gets one line an epoch and nothing that moves', async t => {
  const { written, reporter, pass } = recorded(false)
  const callback = reporter.callback()
  await callback.onStep?.(step(50))
  pass(2000)
  await callback.onEpochEnd?.(0, { loss: 1 })
  t.strictSame(written, ['Epoch 1/2  100 in 2 s  loss 1.0000\n'])
})
