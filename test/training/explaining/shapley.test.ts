import t from 'tap'
import { shapleyValues } from '../../../src/training/explaining/shapley.ts'

/** Of a game of few players, by the definition: over all subsets. */
function exact (players: number, worth: (present: Uint8Array) => number): number[] {
  const factorial = (n: number): number => n < 2 ? 1 : n * factorial(n - 1)
  return Array.from({ length: players }, (_, player) => {
    let sum = 0
    for (let set = 0; set < 2 ** players; set++) {
      if ((set >> player & 1) === 1) continue
      const present = Uint8Array.from({ length: players }, (_, index) => set >> index & 1)
      const size = present.reduce((a, b) => a + b, 0)
      const joined = present.slice()
      joined[player] = 1
      sum += factorial(size) * factorial(players - size - 1) / factorial(players) * (worth(joined) - worth(present))
    }
    return sum
  })
}

const worth = (present: Uint8Array): number => 1 + 2 * present[0]! + 3 * present[1]! * present[2]! - present[3]! * (1 - present[0]!) + Math.max(present[1]!, present[4]!)

t.test('values are those of the definition, but for chance', async t => {
  const calls: number[] = []
  const { values, errors, score, baseline } = await shapleyValues(async rows => {
    calls.push(rows.length)
    return rows.map(worth)
  }, { features: 5, orders: 400, seed: 1, batchRows: 3 })
  const expected = exact(5, worth)
  expected.forEach((value, player) => { t.ok(Math.abs(values[player]! - value) < 4 * errors[player]! + 1e-9, `${player}: ${values[player]!} beside ${value}`) })
  t.ok(Math.max(...errors) < 0.05)
  t.equal(baseline, 1)
  t.equal(score, 7)
  t.ok(Math.abs(values.reduce((a, b) => a + b, 0) - 6) < 1e-9, 'nothing is left over')
  t.ok(Math.max(...calls) <= 3)
})

t.test('where parts do not depend on each other, one order is exact', async t => {
  const { values } = await shapleyValues(async rows => rows.map(present => 5 * present[0]! - present[1]!), { features: 2, orders: 1, seed: 3 })
  t.strictSame([...values], [5, -1])
})

t.test('one part gets everything, and the same seed the same values', async t => {
  const score = async (rows: readonly Uint8Array[]): Promise<number[]> => rows.map(worth)
  t.strictSame([...(await shapleyValues(async rows => rows.map(([one]) => one! * 4 + 1), { features: 1, orders: 2, seed: 1 })).values], [4])
  t.strictSame((await shapleyValues(score, { features: 5, orders: 3, seed: 9 })).values, (await shapleyValues(score, { features: 5, orders: 3, seed: 9 })).values)
})
