import t from 'tap'
import { derivedSeed, seededRandom, shuffledRows, withSeed } from '../../src/training/random.ts'

t.test('a seed gives the same numbers, another seed others', async t => {
  const draw = (seed: number): number[] => Array.from({ length: 5 }, seededRandom(seed))
  t.strictSame(draw(1), draw(1))
  t.notSame(draw(1), draw(2))
  t.notSame(draw(1), draw(2 ** 32 + 1))
})

t.test('numbers spread evenly over 0 to 1', async t => {
  const random = seededRandom(42)
  const counts = new Array<number>(10).fill(0)
  for (let draw = 0; draw < 10_000; draw++) counts[Math.floor(random() * 10)]!++
  t.ok(counts.every(count => count > 850 && count < 1150), 'a thousand in each tenth', { counts })
})

t.test('an order holds every row once', async t => {
  const order = shuffledRows(1000, 3)
  t.strictSame([...order].sort((a, b) => a - b), Array.from({ length: 1000 }, (_, row) => row))
  t.notSame([...order], Array.from({ length: 1000 }, (_, row) => row))
  t.strictSame(shuffledRows(1000, 3), order)
})

t.test('derived seeds differ by seed and use and are 31 bits', async t => {
  const seeds = [0, 1, 2, 3].flatMap(seed => [0, 1, 2, 1_000_000].map(use => derivedSeed(seed, use)))
  t.equal(new Set(seeds).size, 16)
  t.ok(seeds.every(seed => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31))
})

t.test('Math.random is itself again after building, also after an error', async t => {
  const { random } = Math
  t.equal(withSeed(1, () => Math.random()), withSeed(1, () => Math.random()))
  t.throws(() => withSeed(1, () => { throw new Error('no model') }))
  t.equal(Math.random, random)
})
