import { Writable } from 'node:stream'
import t from 'tap'
import { createProgress } from '../../scripts/setup/progress.mjs'

function record (isTTY: boolean) {
  let text = ''
  const stream = new Writable({ write (chunk: Buffer, _encoding, done) { text += chunk.toString(); done() } })
  return { stream: Object.assign(stream, { isTTY, columns: 60 }), text: () => text }
}

t.test('in a log: a line for each phase and one for the end', async t => {
  const { stream, text } = record(false)
  let clock = 0
  const step = createProgress({ stream, now: () => clock }).step('libtensorflow')
  step.phase('downloading 274 MB')
  step.amount(1e6, 274e6)
  clock = 12_345
  step.done()
  t.equal(text(), 'libtensorflow: downloading 274 MB\nlibtensorflow: done in 12 s\n')
})

t.test('on a terminal: one line that changes, never longer than the terminal', async t => {
  const { stream, text } = record(true)
  let clock = 0
  const step = createProgress({ stream, now: () => clock }).step('libtensorflow')
  step.phase('downloading')
  clock = 4_000
  step.amount(137e6, 274e6)
  step.phase(`unpacking ${'x'.repeat(100)}`)
  clock = 5_500
  step.done()
  const frames = text().split('\r\x1b[2K').slice(1)
  t.match(frames, ['… libtensorflow  0.0 s', '… libtensorflow  downloading  0.0 s', /^… libtensorflow {2}unpacking x+$/, '✓ libtensorflow  5.5 s\n'])
  t.ok(frames.every(frame => frame.length < 60))
})

t.test('says how much of a download is there', async t => {
  const { stream, text } = record(true)
  const step = createProgress({ stream }).step('libtensorflow')
  step.phase('downloading')
  step.amount(137e6, 274e6)
  await new Promise(resolve => setTimeout(resolve, 300))
  step.failed()
  t.match(text(), '50 %, 137 MB')
  t.match(text(), /✗ libtensorflow {2}0\.\d s\n$/)
})
