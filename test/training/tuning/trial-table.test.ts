import t from 'tap'
import { tableLines, TrialTable } from '../../../src/training/tuning/trial-table.ts'
import type { TrialResult } from '../../../src/training/tuning/trial.ts'

const objective = { figure: 'val_acc', direction: 'max' } as const
const results: TrialResult[] = [
  { number: 0, state: 'done', hyperparameters: { units: 32, rate: 0.1 + 0.2 }, value: 0.8, values: [0.7, 0.8], bestEpoch: 2, seconds: 3.1 },
  { number: 1, state: 'failed', hyperparameters: { units: 8, rate: 9 }, values: [], seconds: 0.4, reason: 'The loss became NaN' },
  { number: 2, state: 'stopped', hyperparameters: { units: 16, rate: 0.5 }, value: 0.9, values: [0.9], bestEpoch: 1, seconds: 1 }
]

t.test('the best come first, then those under way', async t => {
  t.strictSame(tableLines({ objective, epochs: 2, trials: 10, results, running: [{ number: 3, hyperparameters: { units: 64 }, values: [0.6] }] }, 100), [
    'Trials 3/10, 1 failed   objective val_acc (max)',
    'trial  state    epochs    value  hyperparameters',
    '    2  stopped     1/2   0.9000  units=16 rate=0.5',
    '    0  done        2/2   0.8000  units=32 rate=0.3',
    '    3  runs        1/2   0.6000  units=64'
  ])
})

t.test('no line is wider than the terminal', async t => {
  for (const line of tableLines({ objective, epochs: 2, trials: 10, results, running: [] }, 30)) t.ok(line.length < 30, line)
})

t.test('a log gets a line for each trial that ends, once', async t => {
  let written = ''
  const table = new TrialTable({ write: text => { written += text } }, 1)
  table.show({ objective, epochs: 2, trials: 3, results: results.slice(0, 2), running: [] })
  table.show({ objective, epochs: 2, trials: 3, results, running: [] })
  t.equal(written, 'Trial 1  failed: The loss became NaN  0.4 s  units=8 rate=9\nTrial 2  stopped  val_acc 0.9000  1 s  units=16 rate=0.5\n')
})

t.test('a terminal\'s table is drawn over the one before', async t => {
  let written = ''
  const table = new TrialTable({ isTTY: true, columns: 80, write: text => { written += text } }, 0)
  const view = { objective, epochs: 2, trials: 3, results: results.slice(0, 1), running: [] }
  table.show(view)
  t.notOk(written.includes('\u001b[3A'), 'nothing is drawn over at first')
  written = ''
  table.show(view)
  t.ok(written.startsWith('\u001b[3A\r\u001b[J'), 'three lines back')
})
