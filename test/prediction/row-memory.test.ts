import t from 'tap'
import { RowMemory } from '../../src/prediction/row-memory.ts'

const MIB = 2 ** 20

t.test('memory that is given back is used again for the same length', async t => {
  const memory = new RowMemory()
  const first = memory.take(12)
  const second = memory.take(12)
  t.not(first, second)
  memory.give(first)
  t.not(memory.take(13), first)
  t.equal(memory.take(12), first)
  t.not(memory.take(12), first, 'one that is in use is not given twice')
})

t.test('what is kept is bounded: lengths that are not used any more go first', async t => {
  const memory = new RowMemory()
  const old = new Uint8Array(20 * MIB)
  const recent = [new Uint8Array(8 * MIB), new Uint8Array(8 * MIB)]
  for (const bytes of [old, ...recent]) memory.give(bytes)
  t.not(memory.take(20 * MIB), old)
  const again = memory.take(8 * MIB)
  t.ok(recent.some(bytes => bytes === again))
  const huge = new Uint8Array(33 * MIB)
  memory.give(huge)
  t.not(memory.take(33 * MIB), huge)
})
