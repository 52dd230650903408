import t from 'tap'
import { FairGate } from '../../src/batching/fair-gate.ts'
import { RunQueue, type RunQueueOptions } from '../../src/batching/run-queue.ts'
import type { RunReport, RunRequest, RunResult, Tensors } from '../../src/batching/run-request.ts'
import { floats, type TensorParts, type TensorValue } from '../../src/tensorflow/index.ts'

interface Run { readonly x: number[], end (): void, fail (error: Error): void }
interface Arranged { queue: RunQueue, runs: Run[], reports: RunReport[], clock: { now: number, timer: (() => void) | undefined }, expected: { count: number } }

/** A queue whose model gives y = 10 x for each row [1, 2] when the test lets it; the clock stands still until the test moves it. */
function arrange (options: Partial<RunQueueOptions> = {}): Arranged {
  const runs: Run[] = []
  const reports: RunReport[] = []
  const clock: Arranged['clock'] = { now: 0, timer: undefined }
  const expected = { count: 0 }
  const queue = new RunQueue({
    model: 'm',
    concurrency: 1,
    maxWaiting: 100,
    maxDelayMs: 50,
    batching: { batch: { kind: 'batched', sizes: [1, 2, 4] } },
    expected: () => expected.count,
    run: async (_signature, { x }) => await new Promise<Tensors>((resolve, reject) => {
      const given = numbersOf(x!)
      runs.push({ x: given, end: () => { resolve({ y: floats(x!.shape, given.map(value => 10 * value)) }) }, fail: reject })
    }),
    isRowsFault: error => (error as Error).message === 'bad row',
    onRun: report => { reports.push(report) },
    gate: new FairGate(4),
    now: () => clock.now,
    timers: { setTimeout: ((action: () => void) => { clock.timer = action }) as never, clearTimeout: () => { clock.timer = undefined } },
    ...options
  })
  return { queue, runs, reports, clock, expected }
}

function numbersOf (x: TensorValue | TensorParts): number[] {
  return 'parts' in x ? x.parts.flatMap(part => Array.from(part as Float32Array)) : Array.from(x.data as Float32Array)
}

const tick = async (): Promise<void> => { await new Promise(resolve => { setImmediate(resolve) }) }
const rows = (...values: number[]): RunRequest => ({ signature: 'batch', inputs: { x: floats([values.length, 1], values) } })
const alone = (value: number, exclusive = false): RunRequest => ({ signature: 'alone', inputs: { x: floats([1, 1], [value]) }, exclusive })
const answer = async (result: Promise<RunResult>): Promise<number[]> => Array.from((await result).outputs['y']!.data as Float32Array)

async function endAll (runs: Run[]): Promise<void> {
  for (let index = 0; index < runs.length; index++) {
    runs[index]!.end()
    await tick()
  }
}

t.test('a request runs at once when nothing does', async t => {
  const { queue, runs } = arrange()
  const result = queue.run(rows(1))
  t.strictSame(runs.map(({ x }) => x), [[1]])
  runs[0]!.end()
  t.strictSame(await answer(result), [10])
})

t.test('requests that wait go together, and each gets its own rows back', async t => {
  const { queue, runs, reports } = arrange()
  const results = [rows(1), rows(2), rows(3, 4), rows(5)].map(async request => await answer(queue.run(request)))
  await endAll(runs)
  t.strictSame(runs.map(({ x }) => x), [[1], [2, 3, 4, 5]])
  t.strictSame(await Promise.all(results), [[10], [20], [30, 40], [50]])
  t.strictSame(reports.map(({ rows, size, released, requests }) => [rows, size, released, requests]), [[1, 1, 'idle', 1], [4, 4, 'full', 3]])
})

t.test('a batch is filled up with its last row, and what came of that dropped', async t => {
  const { queue, runs } = arrange()
  const results = [rows(1), rows(2), rows(3), rows(4)].map(async request => await answer(queue.run(request)))
  await endAll(runs)
  t.strictSame(runs.map(({ x }) => x), [[1], [2, 3, 4, 4]])
  t.strictSame(await Promise.all(results), [[10], [20], [30], [40]])
})

t.test('a request of more rows than a run takes is split and put together again in order', async t => {
  const { queue, runs } = arrange({ concurrency: 2 })
  const result = answer(queue.run(rows(1, 2, 3, 4, 5, 6, 7)))
  runs[1]!.end() // the second part first
  await tick()
  await endAll(runs)
  t.strictSame(runs.map(({ x }) => x), [[1, 2, 3, 4], [5, 6, 7, 7]])
  t.strictSame(await result, [10, 20, 30, 40, 50, 60, 70])
})

t.test('rows of another shape, type or with other outputs wanted do not go together', async t => {
  const { queue, runs } = arrange()
  const wide: RunRequest = { signature: 'batch', inputs: { x: floats([1, 2], [7, 8]) } }
  const results = [rows(1), rows(2), wide, { ...rows(3), outputs: ['y'] }, rows(4)].map(async request => await queue.run(request))
  await endAll(runs)
  t.strictSame(runs.map(({ x }) => x), [[1], [2, 4], [7, 8], [3]])
  await Promise.all(results)
})

t.test('a signature that is not batched runs alone, in its turn', async t => {
  const { queue, runs } = arrange()
  const results = [rows(1), rows(2), alone(3), rows(4)].map(async request => await answer(queue.run(request)))
  await endAll(runs)
  t.strictSame(runs.map(({ x }) => x), [[1], [2, 4], [3]])
  t.strictSame(await Promise.all(results), [[10], [20], [30], [40]])
})

t.test('of runs that change state one is in flight, and others pass it', async t => {
  const { queue, runs } = arrange({ concurrency: 3 })
  const results = [alone(1, true), alone(2, true), alone(3)].map(async request => await queue.run(request))
  t.strictSame(runs.map(({ x }) => x), [[1], [3]])
  await endAll(runs)
  t.equal(runs.length, 3)
  await Promise.all(results)
})

t.test('waits for rows that are known to come, and goes with them', async t => {
  const { queue, runs, expected, clock, reports } = arrange()
  expected.count = 1
  clock.now = 100
  const first = queue.run({ ...rows(1), receivedAt: 0 })
  t.equal(runs.length, 0)
  expected.count = 0
  const second = queue.run(rows(2))
  t.strictSame(runs.map(({ x }) => x), [[1, 2]])
  await endAll(runs)
  await Promise.all([first, second])
  t.equal(reports[0]?.released, 'idle')
})

t.test('goes without them when it has waited its share', async t => {
  const { queue, runs, expected, clock, reports } = arrange()
  expected.count = 1
  clock.now = 100
  const result = queue.run({ ...rows(1), receivedAt: 0 })
  clock.now = 120
  clock.timer!()
  t.strictSame(runs.map(({ x }) => x), [[1]])
  await endAll(runs)
  await result
  t.equal(reports[0]?.released, 'timer')
})

t.test('what is urgent goes before what is not', async t => {
  const { queue, runs } = arrange()
  const results = [rows(1), { ...rows(2, 2, 2, 2), priority: 'low' as const }, rows(3, 3, 3, 3)].map(async request => await queue.run(request))
  await endAll(runs)
  t.strictSame(runs.map(({ x }) => x[0]), [1, 3, 2])
  await Promise.all(results)
})

t.test('who has gone leaves the queue, and the others keep their answers', async t => {
  const { queue, runs } = arrange()
  const leaving = new AbortController()
  const [first, second, third] = [queue.run(rows(1)), queue.run({ ...rows(2), signal: leaving.signal }), queue.run(rows(3))]
  leaving.abort()
  await t.rejects(second, { code: 'SERVE_CLIENT_CLOSED' })
  t.equal(queue.waiting, 1)
  await endAll(runs)
  t.strictSame(runs.map(({ x }) => x), [[1], [3]])
  t.strictSame([await answer(first), await answer(third)], [[10], [30]])
})

t.test('who goes while its rows run is answered at once, and its run goes on', async t => {
  const { queue, runs } = arrange()
  const leaving = new AbortController()
  const result = queue.run({ ...rows(1), signal: leaving.signal })
  leaving.abort()
  await t.rejects(result, { code: 'SERVE_CLIENT_CLOSED' })
  t.equal(queue.inFlight, 1)
  await endAll(runs)
  t.equal(queue.inFlight, 0)
})

t.test('the rest of a split request leaves the queue with it', async t => {
  const { queue, runs } = arrange()
  const leaving = new AbortController()
  const result = queue.run({ ...rows(1, 2, 3, 4, 5, 6), signal: leaving.signal })
  const other = queue.run(rows(9))
  leaving.abort()
  await t.rejects(result, { code: 'SERVE_CLIENT_CLOSED' })
  await endAll(runs)
  t.strictSame(runs.map(({ x }) => x), [[1, 2, 3, 4], [9]])
  t.strictSame(await answer(other), [90])
})

t.test('a row whose deadline can not be met is not run', async t => {
  const { queue, runs, clock } = arrange()
  const first = queue.run(rows(1))
  const late = queue.run({ ...rows(2), deadline: 40, receivedAt: 0 })
  const inTime = queue.run({ ...rows(3), deadline: 100 })
  clock.now = 50 // one row takes 50 ms
  runs[0]!.end()
  await t.rejects(late, { code: 'SERVE_DEADLINE_EXCEEDED', statusCode: 504 })
  await first
  const tooLate = queue.run({ ...rows(4), deadline: 90 })
  runs[1]!.end()
  await t.rejects(tooLate, { code: 'SERVE_DEADLINE_EXCEEDED' }, 'it would be done at 100')
  await inTime
  t.strictSame(runs.map(({ x }) => x), [[1], [3]])
})

t.test('one row that TensorFlow refuses does not take the others with it', async t => {
  const { queue, runs } = arrange()
  const results = [rows(1), rows(2), rows(66), rows(3)].map(async request => await answer(queue.run(request)))
  const settled = Promise.allSettled(results)
  runs[0]!.end()
  await tick()
  for (let index = 1; index < runs.length; index++) {
    if (runs[index]!.x.includes(66)) runs[index]!.fail(new Error('bad row'))
    else runs[index]!.end()
    await tick()
  }
  t.match(await settled, [{ value: [10] }, { value: [20] }, { reason: { message: 'bad row' } }, { value: [30] }])
})

t.test('a failure that is nobody\'s row fails the batch', async t => {
  const { queue, runs } = arrange()
  const results = Promise.allSettled([rows(1), rows(2), rows(3)].map(async request => await queue.run(request)))
  runs[0]!.end()
  await tick()
  runs[1]!.fail(new Error('out of memory'))
  t.match(await results, [{ status: 'fulfilled' }, { reason: { message: 'out of memory' } }, { reason: { message: 'out of memory' } }])
  t.equal(runs.length, 2)
  t.strictSame([queue.inFlight, queue.waiting], [0, 0])
})

t.test('refuses at once what can not begin when too many wait', async t => {
  const { queue, runs } = arrange({ maxWaiting: 1 })
  const results = [queue.run(rows(1)), queue.run(rows(2))]
  await t.rejects(queue.run(rows(3)), { code: 'SERVE_QUEUE_FULL' })
  await endAll(runs)
  await Promise.all(results)
})

t.test('an output without rows is a failure of the model', async t => {
  const { queue } = arrange({ run: async () => ({ y: floats([], [1]) }) })
  await t.rejects(queue.run(rows(1)), { message: 'its output "y" has shape [] for 1 rows' })
})

t.test('any mix of requests gets each row its answer', async t => {
  let state = 7
  const random = (below: number): number => { state = (Math.imul(state, 1103515245) + 12345) >>> 0; return Math.floor(state / 2 ** 32 * below) }
  for (let round = 0; round < 50; round++) {
    const { queue, runs } = arrange({ concurrency: 1 + random(3), batching: { batch: { kind: 'batched', sizes: [[1], [1, 2, 4, 8], [3, 5], [16]][random(4)]! } } })
    const requests = Array.from({ length: 1 + random(20) }, () => Array.from({ length: 1 + random(9) }, () => random(1000)))
    const results = requests.map(async values => await answer(queue.run({ ...rows(...values), priority: random(4) === 0 ? 'low' : 'normal' })))
    for (let ended = 0; ended < runs.length; ended++) {
      runs[ended]!.end()
      if (random(2) === 0) await tick()
      if (ended === runs.length - 1) await tick()
    }
    t.strictSame(await Promise.all(results), requests.map(values => values.map(value => 10 * value)))
  }
})
