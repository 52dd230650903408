import t from 'tap'
import { FairGate } from '../../src/batching/fair-gate.ts'
import { BadManifestError, DeadlineExceededError, InferenceError } from '../../src/errors.ts'
import type { VersionStateEvent } from '../../src/registry/model-version.ts'
import { ServedVersion, type VersionDependencies } from '../../src/registry/served-version.ts'
import { floats, TensorFlowError } from '../../src/tensorflow/index.ts'
import { collectGarbage } from '../support/collect-garbage.ts'
import { fakeLoader, ONE_ROW, type FakeVersion } from '../support/fake-version.ts'
import { until } from '../support/registry.ts'

const UNSTOPPED = new AbortController().signal
const tick = async (): Promise<void> => { await new Promise(resolve => { setImmediate(resolve) }) }

interface Arranged { version: ServedVersion, loaded: FakeVersion[], events: VersionStateEvent[] }

function arrange (options: Partial<VersionDependencies> = {}, attempt = 1, fault?: Error): Arranged {
  const events: VersionStateEvent[] = []
  const { load, loaded } = fakeLoader(async () => { if (fault !== undefined) throw fault })
  const found = { version: 7, folder: '007', directory: '/models/m/007', fingerprint: 'a', settled: true, changedAtMs: 0 }
  const version = new ServedVersion({ model: 'm', found, id: 1, attempt }, {
    load, limits: { concurrency: 1, maxWaiting: 1, maxRows: 8, maxDelayMs: 0, maxWaitMs: 2000 }, gate: new FairGate(4), onState: event => { events.push(event) }, onLeak: () => {}, ...options
  })
  return { version, loaded, events }
}

async function available (options: Partial<VersionDependencies> = {}): Promise<Arranged & { fake: FakeVersion }> {
  const arranged = arrange(options)
  await arranged.version.load(UNSTOPPED)
  return { ...arranged, fake: arranged.loaded[0]! }
}

t.test('goes through its states and tells each', async t => {
  const { version, events } = arrange()
  t.equal(version.state, 'start')
  await version.load(UNSTOPPED)
  await version.drain()
  t.strictSame(events.map(({ model, version, previous, state }) => [model, version, previous, state]), [
    ['m', 7, 'start', 'loading'], ['m', 7, 'loading', 'warming'], ['m', 7, 'warming', 'available'], ['m', 7, 'available', 'draining'], ['m', 7, 'draining', 'ended']
  ])
})

t.test('a load that throws ends in failed, with its reason', async t => {
  const fault = new BadManifestError('m/7/model.json', 'is not JSON: oh')
  const { version, events } = arrange({}, 1, fault)
  await version.load(UNSTOPPED)
  t.equal(version.state, 'failed')
  t.equal(version.error, fault)
  t.equal(events.at(-1)?.error, fault)
  t.match(version.status(), { state: 'failed', error: { code: 'MODEL_BAD_MANIFEST', message: 'Manifest m/7/model.json: is not JSON: oh' } })
})

t.test('a verdict on the files is not transient, anything else is', async t => {
  for (const [fault, transient] of [[new BadManifestError('p', 'r'), false], [new InferenceError('m', 'out of memory'), true], [new Error('EMFILE'), true]] as const) {
    const { version } = arrange({}, 1, fault)
    await version.load(UNSTOPPED)
    t.equal(version.view().transient, transient, fault.message)
  }
})

t.test('waits longer after each failure', async t => {
  const waits = await Promise.all([1, 2, 3].map(async attempt => {
    const { version } = arrange({}, attempt, new Error('no'))
    await version.load(UNSTOPPED)
    return version.view().retryAt! - version.status().since!
  }))
  t.strictSame(waits, [1000, 2000, 4000])
})

t.test('what is to be prepared is prepared before it serves', async t => {
  const states: string[] = []
  await available({ prepare: async version => { states.push(version.state, version.manifest.task) } })
  t.strictSame(states, ['warming', 'tensor'])
})

t.test('fails and frees its memory when preparing fails', async t => {
  const { version, loaded } = arrange({ prepare: async () => { throw new BadManifestError('p', 'bad vocabulary') } })
  await version.load(UNSTOPPED)
  t.equal(version.state, 'failed')
  t.equal(loaded[0]?.isDisposed, true)
})

t.test('gives no handle before it is available nor after it drains', async t => {
  const { version } = arrange()
  t.throws(() => version.acquire(), /is start\. This is a bug/)
  await version.load(UNSTOPPED)
  version.acquire().release()
  await version.drain()
  t.throws(() => version.acquire(), /is ended\. This is a bug/)
})

t.test('drains only when the last handle is released, however often each is', async t => {
  const { version, fake } = await available()
  const first = version.acquire()
  const second = version.acquire()
  const drained = version.drain()
  first.release()
  first.release()
  await tick()
  t.equal(version.state, 'draining')
  t.equal(fake.isDisposed, false)
  second.release()
  await drained
  t.equal(version.state, 'ended')
  t.equal(fake.isDisposed, true)
})

t.test('a handle out while it drains still runs', async t => {
  const { version, fake } = await available()
  const handle = version.acquire()
  const drained = version.drain()
  const result = handle.version.run('serving_default', ONE_ROW)
  await tick()
  fake.runs[0]!.end()
  t.strictSame((await result).outputs['y'], ONE_ROW.x)
  handle.release()
  await drained
})

t.test('draining twice is draining once', async t => {
  const { version, events } = await available()
  const handle = version.acquire()
  const drains = [version.drain(), version.drain()]
  handle.release()
  await Promise.all(drains)
  t.strictSame(events.filter(({ state }) => state === 'draining').length, 1)
})

t.test('a run keeps the version even when its client has gone and its handle is released', async t => {
  const { version, fake } = await available()
  const handle = version.acquire()
  const gone = new AbortController()
  const run = version.run('serving_default', ONE_ROW, { signal: gone.signal })
  await tick()
  gone.abort()
  await t.rejects(run, { code: 'SERVE_CLIENT_CLOSED' })
  handle.release()
  const drained = version.drain()
  await tick()
  t.equal(fake.isDisposed, false)
  fake.runs[0]!.end()
  await drained
  t.equal(fake.isDisposed, true)
})

t.test('a run whose client has gone keeps its slot until TensorFlow is done', async t => {
  const { version, fake } = await available()
  const gone = new AbortController()
  const first = version.run('serving_default', ONE_ROW, { signal: gone.signal })
  await tick()
  gone.abort()
  await t.rejects(first, { code: 'SERVE_CLIENT_CLOSED' })
  const second = version.run('serving_default', ONE_ROW)
  await tick()
  t.equal(fake.runs.length, 1)
  fake.runs[0]!.end()
  await tick()
  fake.runs[1]!.end()
  await second
})

t.test('more runs than slots wait, more than the queue are refused', async t => {
  const { version, fake } = await available()
  const runs = [version.run('serving_default', ONE_ROW), version.run('serving_default', ONE_ROW)]
  await tick()
  t.match(version.status(), { inFlight: 1, waiting: 1 })
  await t.rejects(version.run('serving_default', ONE_ROW), { code: 'SERVE_QUEUE_FULL' })
  fake.runs[0]!.end()
  await tick()
  fake.runs[1]!.end()
  const [first, second] = await Promise.all(runs)
  t.ok(first!.queueMs <= second!.queueMs)
  t.match(version.status(), { inFlight: 0, waiting: 0 })
})

t.test('a deadline that passes during the run is told at once', async t => {
  const { version, fake } = await available()
  const deadline = new AbortController()
  const run = version.run('serving_default', ONE_ROW, { signal: deadline.signal })
  await tick()
  deadline.abort(new DeadlineExceededError(5))
  await t.rejects(run, { code: 'SERVE_DEADLINE_EXCEEDED' })
  fake.runs[0]!.fail(new Error('too late to matter'))
  await tick()
  t.match(version.status(), { inFlight: 0 })
})

t.test('a failed run gives its slot back and is told as ours', async t => {
  const { version, fake } = await available()
  const run = version.run('serving_default', ONE_ROW)
  await tick()
  fake.runs[0]!.fail(new TensorFlowError('RESOURCE_EXHAUSTED', 'OOM when allocating tensor\n[[{{node x}}]]'))
  await t.rejects(run, { code: 'SERVE_INFERENCE_FAILED', message: 'Model "m" failed: OOM when allocating tensor' })
  t.match(version.status(), { inFlight: 0 })
})

t.test('what does not fit the signature never reaches TensorFlow', async t => {
  const { version, fake } = await available()
  await t.rejects(version.run('predict', ONE_ROW), { code: 'SERVE_UNKNOWN_SIGNATURE', message: 'There is no signature "predict" in model "m"; it has: serving_default' })
  await t.rejects(version.run('constructor', ONE_ROW), { code: 'SERVE_UNKNOWN_SIGNATURE' })
  await t.rejects(version.run('serving_default', { x: floats([1, 1], [1]) }), { code: 'SERVE_BAD_TENSOR' })
  await t.rejects(version.run('serving_default', ONE_ROW, { outputs: ['z'] }), { code: 'SERVE_BAD_REQUEST' })
  t.equal(fake.runs.length, 0)
})

t.test('a handle that is lost without release is told, one that was released is not', async t => {
  const leaks: string[] = []
  const { version } = await available({ onLeak: (model, number) => { leaks.push(`${model}/${number}`) } })
  const use = (): void => {
    version.acquire()
    version.acquire().release()
  }
  use()
  await until('the lost handle is collected', async () => {
    await collectGarbage()
    return leaks.length > 0
  })
  t.strictSame(leaks, ['m/7'])
})

t.test('the status tells times, devices and use', async t => {
  const { version } = await available()
  const handle = version.acquire()
  t.match(version.status(), { version: 7, folder: '007', state: 'available', devices: ['CPU:0'], signatures: ['serving_default'], notes: [], handles: 1, inFlight: 0, waiting: 0, error: undefined })
  t.ok(version.status().loadedAt! <= Date.now())
  t.type(version.status().loadMs, 'number')
  t.type(version.status().warmUpMs, 'number')
  handle.release()
})
