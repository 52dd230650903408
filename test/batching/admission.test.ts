import t from 'tap'
import { AdmissionControl, admissionLimit, retryAfterSeconds, type Admission } from '../../src/batching/admission.ts'

const limits = { maxRequests: 100, minRequests: 4, maxWaitMs: 1000 }

t.test('as many may be here as are answered in the time allowed, by the rate that was measured', async t => {
  t.equal(admissionLimit(30, limits), 30)
  t.equal(admissionLimit(30, { ...limits, maxWaitMs: 500 }), 15)
})

t.test('the limit keeps within its bounds, and is the largest until there is a rate', async t => {
  t.equal(admissionLimit(undefined, limits), 100)
  t.equal(admissionLimit(1e6, limits), 100)
  t.equal(admissionLimit(0.1, limits), 4)
})

t.test('a client is asked back when half of the line has gone', async t => {
  t.equal(retryAfterSeconds({ inside: 100, perSecond: 10 }), 5)
  t.equal(retryAfterSeconds({ inside: 1, perSecond: 1000 }), 1)
  t.equal(retryAfterSeconds({ inside: 1000, perSecond: 0.1 }), 60)
  t.equal(retryAfterSeconds({ inside: 1000, perSecond: undefined }), 1)
})

/** A door with requests that take 10 ms each, one after the other. */
function measuredDoor (): { door: AdmissionControl, clock: { now: number } } {
  const clock = { now: 0 }
  const door = new AdmissionControl('m', limits, () => clock.now)
  for (let request = 0; request < 40; request++) {
    const { leave } = door.enter()
    clock.now += 10
    leave()
  }
  return { door, clock }
}

t.test('the rate is that of the time in which there was work', async t => {
  const { door, clock } = measuredDoor()
  t.ok(Math.abs(door.perSecond! - 100) < 1, 'found', { perSecond: door.perSecond })
  clock.now += 60_000
  const { leave } = door.enter()
  clock.now += 10
  leave()
  t.ok(Math.abs(door.perSecond! - 100) < 1, 'a rest changes nothing', { perSecond: door.perSecond })
})

t.test('one more than the limit is refused, with the time after which to try again', async t => {
  const { door } = measuredDoor()
  const inside = Array.from({ length: 100 }, () => door.enter())
  t.throws(() => door.enter(), { code: 'SERVE_QUEUE_FULL', statusCode: 503, retryAfterSeconds: 1 })
  inside[0]!.leave()
  t.doesNotThrow(() => door.enter())
})

t.test('where refusals go on, the line is kept to what is answered in a fifth of a second, and no longer than they go on', async t => {
  const { door, clock } = measuredDoor()
  const inside = Array.from({ length: 100 }, () => door.enter())
  const refuse = (): void => { t.throws(() => door.enter(), { code: 'SERVE_QUEUE_FULL' }) }
  refuse()
  clock.now += 900
  refuse()
  t.equal(door.limit, 100, 'a burst')
  clock.now += 200
  refuse()
  t.equal(door.limit, 20, 'more than a burst: 100 a second are answered')
  for (const { leave } of inside.slice(0, 80)) leave()
  refuse()
  clock.now += 1001
  t.doesNotThrow(() => door.enter(), 'a second without a refusal')
})

t.test('a single refusal now and then shortens nothing', async t => {
  const { door, clock } = measuredDoor()
  for (let request = 0; request < 100; request++) door.enter()
  for (let refusal = 0; refusal < 5; refusal++) {
    t.throws(() => door.enter(), { code: 'SERVE_QUEUE_FULL' })
    clock.now += 1500
  }
  t.equal(door.limit, 100)
})

t.test('a request whose time is up before its turn comes is refused at once', async t => {
  const { door, clock } = measuredDoor()
  for (let request = 0; request < 10; request++) door.enter()
  t.throws(() => door.enter({ receivedAt: clock.now, deadline: clock.now + 50 }), { code: 'SERVE_DEADLINE_EXCEEDED', statusCode: 504 })
  t.doesNotThrow(() => door.enter({ receivedAt: clock.now, deadline: clock.now + 200 }))
})

t.test('a place is kept for a request whose body is on its way, which then takes it', async t => {
  const { door } = measuredDoor()
  const kept = Array.from({ length: 50 }, () => door.reserve())
  for (let request = 0; request < 50; request++) door.enter()
  t.throws(() => door.enter(), { code: 'SERVE_QUEUE_FULL' }, 'the other places are kept')
  t.throws(() => door.reserve(), { code: 'SERVE_QUEUE_FULL' })
  t.doesNotThrow(() => door.enter({ reservation: kept[0] }))
  t.equal(door.inside, 51)
  t.throws(() => door.enter({ reservation: kept[0] }), { code: 'SERVE_QUEUE_FULL' }, 'once')
  kept[1]!.giveUp()
  t.doesNotThrow(() => door.enter(), 'one was given up')
  t.throws(() => door.enter(), { code: 'SERVE_QUEUE_FULL' })
})

t.test('half of the places are kept so at most: however many send slowly, others get the rest', async t => {
  const { door } = measuredDoor()
  const asked = Array.from({ length: 1000 }, () => door.reserve())
  for (let request = 0; request < 50; request++) t.doesNotThrow(() => door.enter())
  t.throws(() => door.enter({ reservation: asked.at(-1) }), { code: 'SERVE_QUEUE_FULL' }, 'who was let in without a place asks again')
  t.doesNotThrow(() => door.enter({ reservation: asked[0] }))
})

t.test('a place is kept for a second: who sends slowly asks again', async t => {
  const { door, clock } = measuredDoor()
  const kept = Array.from({ length: 50 }, () => door.reserve())
  clock.now += 1001
  for (let request = 0; request < 100; request++) door.enter()
  t.throws(() => door.enter({ reservation: kept[0] }), { code: 'SERVE_QUEUE_FULL' })
})

t.test('rows are expected until they arrive, or their request is over; each counts once', async t => {
  const door = new AdmissionControl('m', limits)
  const [first, second] = [door.enter(), door.enter()] as [Admission, Admission]
  t.equal(door.expected, 2)
  first.arrive()
  first.arrive()
  t.equal(door.expected, 1)
  first.leave()
  second.leave()
  second.leave()
  t.strictSame([door.expected, door.inside], [0, 0])
})
