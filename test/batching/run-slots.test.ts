import t from 'tap'
import { nextRun, RunSlots, type ReleaseSlot } from '../../src/batching/run-slots.ts'
import { DeadlineExceededError } from '../../src/errors.ts'

const plain = { exclusive: false }
const exclusive = { exclusive: true }

t.test('starts the run that waits longest', async t => {
  const first = { exclusive: false, name: 'first' }
  t.equal(nextRun([first, plain], { runs: 1, exclusiveRuns: 0 }, 2), first)
})

t.test('starts nothing while every slot is taken', async t => {
  t.equal(nextRun([plain], { runs: 2, exclusiveRuns: 0 }, 2), undefined)
})

t.test('lets others pass a run that must not meet the exclusive one in flight', async t => {
  t.equal(nextRun([exclusive, plain], { runs: 1, exclusiveRuns: 1 }, 2), plain)
  t.equal(nextRun([exclusive, exclusive], { runs: 1, exclusiveRuns: 1 }, 2), undefined)
  t.equal(nextRun([exclusive, plain], { runs: 1, exclusiveRuns: 0 }, 2), exclusive)
})

t.test('gives slots in the order in which they were asked for', async t => {
  const slots = new RunSlots('m', { concurrency: 1, maxWaiting: 9 })
  const order: string[] = []
  const first = await slots.acquire()
  const waiting = ['a', 'b', 'c'].map(async name => {
    const release = await slots.acquire()
    order.push(name)
    release()
  })
  t.equal(slots.waiting, 3)
  first()
  await Promise.all(waiting)
  t.strictSame(order, ['a', 'b', 'c'])
  t.equal(slots.inFlight, 0)
})

t.test('a newcomer does not overtake those who wait', async t => {
  const slots = new RunSlots('m', { concurrency: 1, maxWaiting: 9 })
  const order: string[] = []
  const take = async (name: string): Promise<void> => {
    const release = await slots.acquire()
    order.push(name)
    release()
  }
  const first = await slots.acquire()
  const early = take('early')
  first()
  const late = take('late')
  await Promise.all([early, late])
  t.strictSame(order, ['early', 'late'])
})

t.test('refuses at once when the queue is full, and says how many wait', async t => {
  const slots = new RunSlots('digits', { concurrency: 1, maxWaiting: 1 })
  const release = await slots.acquire()
  const second = slots.acquire()
  await t.rejects(slots.acquire(), { code: 'SERVE_QUEUE_FULL', message: 'Model "digits" already has 1 requests waiting' })
  release()
  const releaseSecond = await second
  releaseSecond()
})

t.test('a queue of no length still runs what fits', async t => {
  const slots = new RunSlots('m', { concurrency: 1, maxWaiting: 0 })
  const release = await slots.acquire()
  await t.rejects(slots.acquire(), { code: 'SERVE_QUEUE_FULL' })
  release()
  const again = await slots.acquire()
  again()
})

t.test('giving a slot back twice frees one slot', async t => {
  const slots = new RunSlots('m', { concurrency: 2, maxWaiting: 0 })
  const first = await slots.acquire()
  await slots.acquire()
  first()
  first()
  t.equal(slots.inFlight, 1)
})

t.test('a client that has gone leaves the queue and its place is free again', async t => {
  const slots = new RunSlots('m', { concurrency: 1, maxWaiting: 1 })
  const release = await slots.acquire()
  const gone = new AbortController()
  const waiting = slots.acquire({ signal: gone.signal })
  gone.abort()
  await t.rejects(waiting, { code: 'SERVE_CLIENT_CLOSED' })
  t.equal(slots.waiting, 0)
  const next = slots.acquire()
  release()
  const releaseNext = await next
  t.equal(slots.inFlight, 1)
  releaseNext()
})

t.test('a client that had gone before does not start', async t => {
  const slots = new RunSlots('m', { concurrency: 1, maxWaiting: 1 })
  await t.rejects(slots.acquire({ signal: AbortSignal.abort() }), { code: 'SERVE_CLIENT_CLOSED' })
  t.equal(slots.inFlight, 0)
})

t.test('a deadline that passes in the queue is told as such', async t => {
  const slots = new RunSlots('m', { concurrency: 1, maxWaiting: 1 })
  await slots.acquire()
  const deadline = new AbortController()
  const waiting = slots.acquire({ signal: deadline.signal })
  deadline.abort(new DeadlineExceededError(50))
  await t.rejects(waiting, { code: 'SERVE_DEADLINE_EXCEEDED', message: 'The request was not done within its 50 ms' })
})

t.test('aborting after the start changes nothing', async t => {
  const slots = new RunSlots('m', { concurrency: 1, maxWaiting: 1 })
  const first = await slots.acquire()
  const controller = new AbortController()
  const second = slots.acquire({ signal: controller.signal })
  first()
  const release = await second
  controller.abort()
  t.equal(slots.inFlight, 1)
  release()
  t.equal(slots.inFlight, 0)
})

t.test('exclusive runs go one at a time beside the others', async t => {
  const slots = new RunSlots('m', { concurrency: 4, maxWaiting: 9 })
  let exclusiveNow = 0
  let most = 0
  const runs = Array.from({ length: 8 }, async (_, index) => {
    const isExclusive = index % 2 === 0
    const release: ReleaseSlot = await slots.acquire({ exclusive: isExclusive })
    if (isExclusive) exclusiveNow += 1
    most = Math.max(most, exclusiveNow)
    await new Promise(resolve => { setImmediate(resolve) })
    if (isExclusive) exclusiveNow -= 1
    release()
  })
  await Promise.all(runs)
  t.equal(most, 1)
  t.equal(slots.inFlight, 0)
})
