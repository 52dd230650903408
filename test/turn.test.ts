import t from 'tap'
import { Turn } from '../src/turn.ts'

t.test('lets one of all waiting jobs go on in each round of the event loop, in the order they asked', async t => {
  let round = 0
  let isDone = false
  const tick = (): void => {
    round++
    if (!isDone) setImmediate(tick)
  }
  setImmediate(tick)
  const resumed: { job: string, round: number }[] = []
  const run = async (job: string): Promise<void> => {
    const turn = new Turn()
    for (let times = 0; times < 3; times++) {
      await turn.next()
      resumed.push({ job, round })
    }
  }
  await Promise.all(['a', 'b', 'c'].map(run))
  isDone = true
  t.equal(resumed.map(({ job }) => job).join(''), 'abcabcabc')
  t.equal(new Set(resumed.map(({ round }) => round)).size, 9)
})

t.test('is over after a few milliseconds, and starts again with the next', async t => {
  let now = 100
  const turn = new Turn(() => now)
  t.equal(turn.isOver(), false)
  now = 106
  t.equal(turn.isOver(), true)
  await turn.next()
  t.equal(turn.isOver(), false)
})
