import t from 'tap'
import { inTurns, type Pieces, type Turns } from '../../../src/prediction/tensor-json/in-turns.ts'

/** Work of so many pieces. */
function * work (pieces: number): Pieces<string> {
  for (let piece = 0; piece < pieces; piece++) yield
  return 'done'
}

/** Turns that are over after so many pieces. */
function turnsOf (pieces: number): Turns & { count: number } {
  let left = pieces
  return {
    count: 1,
    isOver: () => --left < 0,
    async next () {
      this.count++
      left = pieces
    }
  }
}

t.test('work of one turn is done at once, without a promise', async t => {
  t.equal(inTurns(work(3), undefined, turnsOf(10)), 'done')
})

t.test('longer work takes as many turns as it needs', async t => {
  const turns = turnsOf(10)
  t.equal(await inTurns(work(100), undefined, turns), 'done')
  t.ok(turns.count >= 10, `${turns.count} turns`)
})

t.test('an error comes out of the first turn and out of a later one', async t => {
  function * failing (pieces: number): Pieces<never> {
    yield * work(pieces)
    throw new Error('wrong')
  }
  t.throws(() => inTurns(failing(3), undefined, turnsOf(10)), { message: 'wrong' })
  await t.rejects(async () => { await inTurns(failing(30), undefined, turnsOf(10)) }, { message: 'wrong' })
})

t.test('nobody works on for a client that has gone', async t => {
  const controller = new AbortController()
  const result = inTurns(work(100), controller.signal, turnsOf(10))
  controller.abort(new Error('gone'))
  await t.rejects(async () => { await result }, { message: 'gone' })
})
