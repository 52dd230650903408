import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { ClientClosedError, DeadlineExceededError } from '../../src/errors.ts'
import { DecodeSlots } from '../../src/image/decode-slots.ts'

t.test('gives at most as many slots as there are', async t => {
  const slots = new DecodeSlots(2)
  await slots.acquire('a')
  await slots.acquire('a')
  let hasThird = false
  slots.acquire('a').then(() => { hasThird = true })
  await nextTurn()
  t.equal(hasThird, false)
  t.equal(slots.pending, 3)
})

t.test('first come, first served', async t => {
  const slots = new DecodeSlots(1)
  const release = await slots.acquire('a')
  const served: number[] = []
  const all = [1, 2, 3].map(async name => {
    const done = await slots.acquire('a')
    served.push(name)
    done()
  })
  release()
  await Promise.all(all)
  t.strictSame(served, [1, 2, 3])
  t.equal(slots.pending, 0)
})

t.test('who comes while a slot is handed over does not overtake', async t => {
  const slots = new DecodeSlots(1)
  const release = await slots.acquire('a')
  const served: string[] = []
  const waiting = slots.acquire('a').then(() => served.push('waiting'))
  release()
  slots.acquire('a').then(() => served.push('new'))
  await waiting
  await nextTurn()
  t.strictSame(served, ['waiting'])
})

t.test('a slot given back twice counts once', async t => {
  const slots = new DecodeSlots(1)
  const release = await slots.acquire('a')
  release()
  release()
  await slots.acquire('a')
  t.equal(slots.pending, 1)
  let hasSecond = false
  slots.acquire('a').then(() => { hasSecond = true })
  await nextTurn()
  t.equal(hasSecond, false)
})

t.test('who hangs up leaves the line, and the next in line is served', async t => {
  const slots = new DecodeSlots(1)
  const release = await slots.acquire('a')
  const client = new AbortController()
  const gone = slots.acquire('a', client.signal)
  const next = slots.acquire('a')
  client.abort()
  await t.rejects(gone, new ClientClosedError())
  t.equal(slots.pending, 2)
  release()
  await next
  t.equal(slots.pending, 1)
})

t.test('who has hung up already gets no slot', async t => {
  const slots = new DecodeSlots(1)
  await t.rejects(slots.acquire('a', AbortSignal.abort()), new ClientClosedError())
  t.equal(slots.pending, 0)
})

t.test('a signal\'s reason that is one of our errors is what is thrown', async t => {
  const slots = new DecodeSlots(1)
  await t.rejects(slots.acquire('a', AbortSignal.abort(new DeadlineExceededError(50))), new DeadlineExceededError(50))
})

t.test('a signal that aborts after its turn came changes nothing, and is no longer listened to', async t => {
  const slots = new DecodeSlots(1)
  const release = await slots.acquire('a')
  const client = new AbortController()
  const turn = slots.acquire('a', client.signal)
  release()
  const releaseSecond = await turn
  client.abort()
  releaseSecond()
  t.equal(slots.pending, 0)
})

t.test('many who wait in one line do not keep another line waiting', async t => {
  const slots = new DecodeSlots(1)
  const release = await slots.acquire('flood')
  const served: string[] = []
  const take = async (line: string): Promise<void> => {
    const done = await slots.acquire(line)
    served.push(line)
    await nextTurn()
    done()
  }
  const all = [...Array.from({ length: 10 }, async () => { await take('flood') }), take('other')]
  release()
  await Promise.all(all)
  t.ok(served.indexOf('other') <= 1, 'it is served first or second', { served })
  t.equal(slots.pending, 0)
})
