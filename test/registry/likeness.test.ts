import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { areAlike, type Likeness } from '../../src/registry/likeness.ts'
import { loadVersion, type LoadedVersion, type MeasuredVersion } from '../../src/registry/load-version.ts'
import { floats } from '../../src/tensorflow/index.ts'
import { startRegistry, until } from '../support/registry.ts'
import { writeHalfPlusTwo, writeTinyModel } from '../support/saved-models.ts'

const OPTIONS = { signal: new AbortController().signal, onWarming: () => {}, calibrate: { maxRows: 8, concurrency: undefined } }

/** y = x · weights, with so many outputs. */
async function writeProduct (directory: string, outputs: number, value: number): Promise<void> {
  await writeTinyModel(directory, ({ graph, variable }) => {
    const x = graph.placeholder('float32', [-1, 2], 'x')
    const weights = variable('weights', floats([2, outputs], new Float32Array(2 * outputs).fill(value)))
    return { serving_default: { inputs: { x }, outputs: { y: graph.apply('MatMul', [x, weights]) } } }
  })
}

async function load (directory: string, previous?: MeasuredVersion): Promise<LoadedVersion> {
  const loaded = await loadVersion(directory, { ...OPTIONS, previous })
  t.teardown(async () => { await loaded.dispose() })
  return loaded
}

function measuredOf ({ likeness, calibration }: LoadedVersion, version = 1): MeasuredVersion {
  return { version, likeness: likeness!, calibration }
}

t.test('what is alike but for its weights takes over what was measured, and gives its own answers', async t => {
  const directory = t.testdir()
  for (const version of [1, 2, 3]) await writeProduct(join(directory, String(version)), 3, version)
  const first = await load(join(directory, '1'))
  const second = await load(join(directory, '2'), measuredOf(first))
  const third = await load(join(directory, '3'), measuredOf(second, 2))
  for (const { calibration } of [second, third]) {
    const { engine, engines, runsInFlight, batching, takenFrom } = calibration
    t.strictSame({ engine, engines, runsInFlight, batching, takenFrom }, { ...pick(first), takenFrom: 1 }, 'by the version that was measured')
  }
  t.equal(first.calibration.takenFrom, undefined)
  t.strictSame((await second.run('serving_default', { x: floats([1, 2], [1, 2]) }))['y'], floats([1, 3], [6, 6, 6]))
  t.strictSame((await third.run('serving_default', { x: floats([1, 2], [1, 2]) }))['y'], floats([1, 3], [9, 9, 9]))
})

function pick ({ calibration: { engine, engines, runsInFlight, batching } }: LoadedVersion): object {
  return { engine, engines, runsInFlight, batching }
}

t.test('what has other shapes, another manifest or other settings is measured anew', async t => {
  const directory = t.testdir()
  await writeProduct(join(directory, '1'), 3, 1)
  await writeProduct(join(directory, '2'), 4, 1)
  await cp(join(directory, '1'), join(directory, '3'), { recursive: true })
  await writeFile(join(directory, '3', 'model.json'), JSON.stringify({ format: 1, task: 'tensor', engine: { threads: 1 } }))
  const first = await load(join(directory, '1'))
  for (const other of ['2', '3']) t.equal((await load(join(directory, other), measuredOf(first))).calibration.takenFrom, undefined, other)
  const limited = await loadVersion(join(directory, '1'), { ...OPTIONS, session: { intraOpThreads: 1 }, previous: measuredOf(first) })
  t.equal(limited.calibration.takenFrom, undefined)
  await limited.dispose()
})

t.test('each engine that a version alike ran on is made again', async t => {
  const directory = join(t.testdir(), '1')
  await writeHalfPlusTwo(directory)
  const first = await load(directory)
  for (const graph of ['as saved', 'frozen'] as const) {
    for (const threads of [1, first.calibration.engines[0]!.threads]) {
      const engine = { ...first.calibration.engine, graph, threads }
      const loaded = await load(directory, { ...measuredOf(first), calibration: { ...first.calibration, engine } })
      t.strictSame(loaded.calibration.engine, engine)
      t.strictSame((await loaded.run('serving_default', { x: floats([2], [1, 2]) }))['y'], floats([2], [2.5, 3]))
    }
  }
})

t.test('a graph whose names are a little longer is alike, one of another size is not', async t => {
  const likeness: Likeness = { form: 'a', graphBytes: 10_000, variableBytes: 50 }
  t.ok(areAlike(likeness, { ...likeness, graphBytes: 10_100 }))
  t.notOk(areAlike(likeness, { ...likeness, graphBytes: 10_101 }))
  t.notOk(areAlike(likeness, { ...likeness, variableBytes: 51 }))
  t.notOk(areAlike(likeness, { ...likeness, form: 'b' }))
})

t.test('a new version takes over what was measured of the one that serves', async t => {
  const directory = t.testdir()
  await writeHalfPlusTwo(join(directory, 'half', '1'))
  const registry = await startRegistry(t, { directory })
  const takenFrom = (version: number): number | undefined => registry.describe('half').versions.find(found => found.version === version && found.state === 'available')?.calibration?.takenFrom
  await until('the first serves', () => registry.isReady())
  await writeHalfPlusTwo(join(directory, 'half', '2'))
  await until('the second has what the first had', () => takenFrom(2) === 1)
})
