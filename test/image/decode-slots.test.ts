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
  const gone = slots.acquire('a', { signal: client.signal })
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
  await t.rejects(slots.acquire('a', { signal: AbortSignal.abort() }), new ClientClosedError())
  t.equal(slots.pending, 0)
})

t.test('a signal\'s reason that is one of our errors is what is thrown', async t => {
  const slots = new DecodeSlots(1)
  await t.rejects(slots.acquire('a', { signal: AbortSignal.abort(new DeadlineExceededError(50)) }), new DeadlineExceededError(50))
})

t.test('a signal that aborts after its turn came changes nothing, and is no longer listened to', async t => {
  const slots = new DecodeSlots(1)
  const release = await slots.acquire('a')
  const client = new AbortController()
  const turn = slots.acquire('a', { signal: client.signal })
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

/** Fills the only slot, lets these wait, and tells who is served together each time a slot is given back. */
async function turns (waiting: readonly { name: string, sharing?: { kind: string, part: number } }[], size = 1, slots = new DecodeSlots(size)): Promise<string[]> {
  const first = await Promise.all(Array.from({ length: size }, async () => await slots.acquire('a')))
  const served: { name: string, release: () => void }[] = []
  for (const { name, sharing } of waiting) slots.acquire('a', { sharing }).then(release => { served.push({ name, release }) })
  const found: string[] = []
  first[0]!()
  for (await nextTurn(); served.length > 0; await nextTurn()) {
    const together = served.splice(0)
    found.push(together.map(({ name }) => name).join(''))
    for (const { release } of together) release()
  }
  return found
}

const small = { kind: 'small', part: 0.25 }

t.test('small ones of one kind share a slot, as many as fit in', async t => {
  t.strictSame(await turns([...'abcdefghij'].map(name => ({ name, sharing: small }))), ['abcd', 'efgh', 'ij'])
  t.strictSame(await turns([...'abc'].map(name => ({ name, sharing: { kind: 'large', part: 0.6 } }))), ['a', 'b', 'c'])
  t.strictSame(await turns([...'ab'].map(name => ({ name, sharing: { kind: 'huge', part: 9 } }))), ['a', 'b'])
})

t.test('nobody overtakes to share a slot, and what can not share has its own', async t => {
  const other = { kind: 'other', part: 0.25 }
  t.strictSame(await turns([{ name: 'a', sharing: small }, { name: 'b', sharing: other }, { name: 'c', sharing: small }, { name: 'd' }, { name: 'e' }, { name: 'f', sharing: small }]), ['a', 'b', 'c', 'd', 'e', 'f'])
})

t.test('those who share leave the other slots their part', async t => {
  t.strictSame(await turns([...'abcd'].map(name => ({ name, sharing: small })), 2), ['ab', 'c', 'd'])
})

t.test('a shared slot is free when all who share it have given it back', async t => {
  const slots = new DecodeSlots(1)
  const release = await slots.acquire('a')
  const [first, second, third] = [0, 1, 2].map(async index => await slots.acquire('a', { sharing: { kind: 'small', part: [0.5, 0.5, 0.5][index]! } }))
  release()
  const both = await Promise.all([first!, second!])
  let isThirdServed = false
  third!.then(() => { isThirdServed = true })
  both[0]()
  await nextTurn()
  t.equal(isThirdServed, false)
  both[1]()
  await nextTurn()
  t.equal(isThirdServed, true)
})

t.test('none share a slot for a second after an image came in another line that is short', async t => {
  let now = 0
  const slots = new DecodeSlots(1, () => now)
  const visit = await slots.acquire('other')
  visit()
  const four = [...'abcd'].map(name => ({ name, sharing: small }))
  t.strictSame(await turns(four, 1, slots), ['a', 'b', 'c', 'd'])
  now = 1000
  t.strictSame(await turns(four, 1, slots), ['abcd'])
})

t.test('where as many wait in the other line as there are slots, both lines share', async t => {
  const slots = new DecodeSlots(1)
  const release = await slots.acquire('a')
  const served: string[] = []
  const all = [...'aabb'].map(async line => {
    const done = await slots.acquire(line, { sharing: small })
    served.push(line)
    await nextTurn()
    done()
  })
  release()
  await nextTurn()
  t.match(served.join(''), /^(aa|bb)$/)
  await Promise.all(all)
})

t.test('for a second after an image came in another line, the last slot is left to that', async t => {
  const now = 0
  const slots = new DecodeSlots(3, () => now)
  const visit = await slots.acquire('other')
  visit()
  const served: string[] = []
  const take = (line: string): void => { slots.acquire(line).then(() => { served.push(line) }) }
  for (const line of ['a', 'a', 'a', 'other']) take(line)
  await nextTurn()
  t.strictSame(served, ['a', 'a', 'other'])
  t.equal(slots.pending, 4)
})

t.test('a line alone has all slots again, and a single slot is anybody’s', async t => {
  let now = 0
  const slots = new DecodeSlots(2, () => now)
  const visit = await slots.acquire('other')
  visit()
  const release = await slots.acquire('a')
  let served = 0
  for (let index = 0; index < 2; index++) slots.acquire('a').then(() => { served++ })
  await nextTurn()
  t.equal(served, 0)
  now = 1000
  release()
  await nextTurn()
  t.equal(served, 2)
  const single = new DecodeSlots(1, () => now)
  const gone = await single.acquire('other')
  gone()
  t.type(await single.acquire('a'), 'function')
})
