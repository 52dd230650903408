import t from 'tap'
import { ByteMemory } from '../../src/prediction/byte-memory.ts'

const MIB = 2 ** 20

t.test('memory that is given back is used again for about the same length, and for no one else meanwhile', async t => {
  const memory = new ByteMemory()
  const first = memory.take(100_000)
  t.equal(first.length, 100_000)
  t.not(memory.take(100_000).buffer, first.buffer)
  memory.give(first)
  t.not(memory.take(50_000).buffer, first.buffer)
  const again = memory.take(99_000)
  t.equal(again.buffer, first.buffer)
  t.equal(again.length, 99_000)
  t.not(memory.take(100_000).buffer, first.buffer)
})

t.test('little more is taken than is asked for', async t => {
  for (const length of [0, 1, 1024, 1025, 3072, 150_528, 1_000_000]) {
    const { byteLength, buffer } = new ByteMemory().take(length)
    t.equal(byteLength, length)
    t.ok(buffer.byteLength >= length && buffer.byteLength <= Math.max(1024, 1.125 * length), `${buffer.byteLength} for ${length}`)
  }
})

t.test('what is kept is bounded: lengths that are not used any more go first', async t => {
  const memory = new ByteMemory()
  const old = memory.take(20 * MIB)
  const recent = [memory.take(8 * MIB), memory.take(8 * MIB)]
  for (const bytes of [old, ...recent]) memory.give(bytes)
  t.not(memory.take(20 * MIB).buffer, old.buffer)
  const again = memory.take(8 * MIB)
  t.ok(recent.some(({ buffer }) => buffer === again.buffer))
  const huge = memory.take(40 * MIB)
  memory.give(huge)
  t.not(memory.take(40 * MIB).buffer, huge.buffer)
})
