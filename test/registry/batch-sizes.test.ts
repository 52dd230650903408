import t from 'tap'
import { findSizes } from '../../src/registry/batch-sizes.ts'

const search = { maxRows: 64, budgetMs: 10_000, maxRunMs: 1000 }

/** The sizes found for a model whose runs take so long. */
async function sizes (runMs: (rows: number) => number | undefined, options: Partial<typeof search> = {}): Promise<{ found: number[], runs: number[] }> {
  let now = 0
  const runs: number[] = []
  const found = await findSizes(async rows => {
    const ms = runMs(rows)
    if (ms === undefined) return false
    runs.push(rows)
    now += ms
    return true
  }, { ...search, ...options }, () => now)
  return { found: found.map(({ size }) => size), runs }
}

t.test('goes up in powers of two while more rows go through in a second', async t => {
  t.strictSame((await sizes(rows => 10 + rows)).found, [1, 2, 4, 8, 16, 32, 64])
})

t.test('stops where a larger run brings nothing, after two that did not', async t => {
  const { found, runs } = await sizes(rows => rows <= 4 ? 10 : 10 * rows)
  t.strictSame(found, [1, 2, 4])
  t.equal(Math.max(...runs), 16)
})

t.test('one size that is slow by chance does not end it', async t => {
  t.strictSame((await sizes(rows => rows === 8 ? 100 : 10 + rows)).found, [1, 2, 4, 8, 16, 32, 64])
})

t.test('many small gains do not add up to a large size', async t => {
  const gains = (gain: number) => async (): Promise<number[]> => (await sizes(rows => 10 * rows / gain ** Math.log2(rows))).found
  t.strictSame(await gains(1.05)(), [1])
  t.strictSame(await gains(1.1)(), [1, 2, 4, 8, 16, 32, 64])
})

t.test('a model whose rows take all the same alone runs them one by one', async t => {
  t.strictSame((await sizes(rows => 10 * rows)).found, [1])
})

t.test('stops before a run takes too long, or all of it does', async t => {
  t.strictSame((await sizes(rows => 40 + rows, { maxRunMs: 100 })).found, [1, 2, 4, 8, 16])
  const { runs } = await sizes(rows => 10 + rows, { budgetMs: 100 })
  t.ok(runs.reduce((sum, rows) => sum + 10 + rows, 0) <= 100)
})

t.test('goes no further than asked, and no further than rows can be made up', async t => {
  t.strictSame((await sizes(() => 10, { maxRows: 6 })).found, [1, 2, 4])
  t.strictSame((await sizes(rows => rows > 2 ? undefined : 10)).found, [1, 2])
})
