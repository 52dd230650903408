import t from 'tap'
import { FairGate, type Door } from '../../src/batching/fair-gate.ts'

interface Arranged { door: Door, begun: string[], jobs: { end: () => void }[], more: (work: number) => void }

/** A lane with so much work, that tells what it begins. */
function lane (gate: FairGate, name: string, work: number, begun: string[]): Arranged {
  const jobs: { end: () => void }[] = []
  let left = work
  const door = gate.add({
    canStart: () => left > 0,
    start: async () => {
      left--
      begun.push(name)
      await new Promise<void>(resolve => { jobs.push({ end: resolve }) })
    }
  })
  return { door, begun, jobs, more: work => { left += work } }
}

const tick = async (): Promise<void> => { await new Promise(resolve => { setImmediate(resolve) }) }

t.test('no more begin than there are places', async t => {
  const begun: string[] = []
  const { door, jobs } = lane(new FairGate(2), 'a', 5, begun)
  door.knock()
  t.equal(begun.length, 2)
  jobs[0]!.end()
  await tick()
  t.equal(begun.length, 3)
})

t.test('a place goes to the lane that has used them least', async t => {
  const begun: string[] = []
  let now = 0
  const gate = new FairGate(1, () => now)
  const [a, b] = [lane(gate, 'a', 4, begun), lane(gate, 'b', 4, begun)]
  a.door.knock()
  b.door.knock()
  for (const [job, ms] of [[a, 10], [b, 30], [a, 10], [a, 10], [a, 10]] as const) {
    now += ms
    job.jobs.at(-1)!.end()
    await tick()
  }
  t.strictSame(begun, ['a', 'b', 'a', 'a', 'a', 'b'], 'b is back when a has used as much')
})

t.test('a lane that had the places for itself does not pay for it when another comes', async t => {
  const begun: string[] = []
  let now = 0
  const gate = new FairGate(1, () => now)
  const [a, b] = [lane(gate, 'a', 3, begun), lane(gate, 'b', 9, begun)]
  const run = async ({ jobs }: Arranged): Promise<void> => {
    now += 100
    jobs.at(-1)!.end()
    await tick()
  }
  a.door.knock()
  for (let runs = 0; runs < 3; runs++) await run(a) // and has no more work
  b.door.knock()
  a.more(2)
  a.door.knock()
  for (const next of [b, a, a]) await run(next)
  t.strictSame(begun.slice(3), ['b', 'a', 'a', 'b'])
})

t.test('a lane that rested does not make up for it', async t => {
  const begun: string[] = []
  let now = 0
  const gate = new FairGate(1, () => now)
  const [a, b] = [lane(gate, 'a', 9, begun), lane(gate, 'b', 9, begun)]
  a.door.knock()
  for (let run = 0; run < 3; run++) {
    now += 100
    a.jobs.at(-1)!.end()
    await tick()
  }
  b.door.knock()
  for (let run = 0; run < 4; run++) {
    now += 100;
    (begun.at(-1) === 'a' ? a : b).jobs.at(-1)!.end()
    await tick()
  }
  t.strictSame(begun.slice(4), ['b', 'a', 'b', 'a'])
})

t.test('a place is free again when what ran in it fails', async t => {
  const gate = new FairGate(1)
  let runs = 0
  gate.add({ canStart: () => runs < 2, start: async () => { runs++; throw new Error('oh') } }).knock()
  await tick()
  t.equal(runs, 2)
})

t.test('a lane that has left begins nothing more', async t => {
  const begun: string[] = []
  const { door, jobs } = lane(new FairGate(1), 'a', 5, begun)
  door.knock()
  door.leave()
  jobs[0]!.end()
  await tick()
  t.equal(begun.length, 1)
})
