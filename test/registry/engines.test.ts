import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { best, chooseEngine } from '../../src/registry/engines.ts'
import { loadVersion } from '../../src/registry/load-version.ts'
import type { EngineTrial } from '../../src/registry/try-engine.ts'
import { floats, loadSavedModel, type TensorValue } from '../../src/tensorflow/index.ts'
import { writeHalfPlusTwo, writeTinyModel } from '../support/saved-models.ts'

const OPTIONS = { signal: new AbortController().signal, onWarming: () => {}, calibrate: { maxRows: 8, concurrency: undefined } }

function trial (single: number, rows: number, batched: number, threads = 2): EngineTrial {
  return { graph: 'as saved', threads, xla: false, precision: 'float32', single, rows, batched }
}

t.test('the best in the mean of its figures is taken', async t => {
  t.equal(best([trial(100, 100, 100), trial(100, 150, 100), trial(100, 100, 180)]), 2)
  t.equal(best([trial(100, 100, 100), trial(50, 150, 120)]), 0, 'what it gains in one it loses in another')
})

t.test('the model stays as it is saved where another way is hardly better', async t => {
  t.equal(best([trial(100, 100, 100), trial(104, 104, 104)]), 0)
  t.equal(best([trial(100, 100, 100), trial(110, 110, 110), trial(111, 111, 111)]), 2)
})

t.test('what does nearly as well on one thread is taken: it leaves cores to decoding and HTTP', async t => {
  t.equal(best([trial(100, 100, 100), trial(95, 95, 95, 1)]), 1)
  t.equal(best([trial(100, 100, 100), trial(50, 100, 100, 1)]), 0, 'not where a single row takes twice as long')
})

t.test('a version tells what was tried and what runs it, and answers the same', async t => {
  const directory = join(t.testdir(), '1')
  await writeHalfPlusTwo(directory)
  const loaded = await loadVersion(directory, OPTIONS)
  const { engine, engines } = loaded.calibration
  t.ok(engines.some(({ graph }) => graph === 'as saved') && engines.some(({ graph }) => graph === 'frozen'))
  t.ok(engines.some(({ graph, threads }) => graph === engine.graph && threads === engine.threads))
  t.strictSame((await loaded.run('serving_default', { x: floats([2], [1, 2]) }))['y'], floats([2], [2.5, 3]))
  await loaded.dispose()
})

t.test('a version that TensorFlow can only run as it is saved is served so', async t => {
  const directory = join(t.testdir(), '1')
  await writeTinyModel(directory, ({ graph, variable }) => {
    const x = graph.placeholder('float32', [-1, 6, 6, 2], 'x')
    const statistics = ['gamma', 'beta', 'mean', 'variance'].map(name => variable(name, floats([2], [1, 1])))
    // Where the numbers are constants TensorFlow 2.21 makes additions and products of it, and then misses the second output.
    const norm = graph.op('FusedBatchNormV3', [graph.apply('Abs', [x]), ...statistics], { is_training: false })
    return { serving_default: { inputs: { x }, outputs: { y: norm.output(0), mean: norm.output(1) } } }
  })
  const loaded = await loadVersion(directory, OPTIONS)
  t.equal(loaded.calibration.engine.graph, 'as saved')
  t.match(loaded.notes.join(), /its variables are not made constants: .*does not have output 1/)
  t.strictSame((await loaded.run('serving_default', { x: floats([1, 6, 6, 2], Array(72).fill(0)) }))['mean'], floats([2], [1, 1]))
  await loaded.dispose()
})

t.test('the manifest says how a version is run, before the server’s own settings', async t => {
  const directory = join(t.testdir(), '1')
  await writeHalfPlusTwo(directory)
  await writeFile(join(directory, 'model.json'), JSON.stringify({ format: 1, task: 'tensor', engine: { threads: 1, runsInFlight: 3, xla: false } }))
  const loaded = await loadVersion(directory, { ...OPTIONS, session: { intraOpThreads: 2, xla: true }, calibrate: { maxRows: 8, concurrency: 1 } })
  t.equal(loaded.calibration.runsInFlight, 3)
  t.ok(loaded.calibration.engines.length > 1)
  for (const engine of loaded.calibration.engines) t.match(engine, { threads: 1, xla: false, precision: 'float32' })
  await loaded.dispose()
})

t.test('the best is tried compiled by XLA too, and what runs the version then answers the same', async t => {
  const directory = join(t.testdir(), '1')
  await writeHalfPlusTwo(directory)
  for (const session of [{}, { intraOpThreads: 1 }]) {
    const loaded = await loadSavedModel(directory, { session })
    const candidate = { loaded, signatures: loaded.signatures, manifest: { format: 1, task: 'tensor', signature: 'serving_default' } as const, manifestPath: '' }
    const { engine, trials, notes } = await chooseEngine(candidate, loaded, { session, triesXla: true, signal: OPTIONS.signal })
    t.strictSame(trials.map(({ xla }) => xla), [...trials.slice(1).map(() => false), true])
    t.strictSame(notes, [])
    t.strictSame((await engine.model.run('serving_default', { x: floats([2], [1, 2]) }))['y'], floats([2], [2.5, 3]))
    await engine.model.dispose()
  }
})

t.test('XLA is for GPUs: on a CPU it is not tried, and who asks for it is told', { skip: process.env['TENSORFLOW_VARIANT'] === 'gpu' }, async t => {
  const directory = join(t.testdir(), '1')
  await writeHalfPlusTwo(directory)
  const loadedWith = async (engine: object, triesXla?: boolean): Promise<{ xla: boolean[], notes: string[] }> => {
    await writeFile(join(directory, 'model.json'), JSON.stringify({ format: 1, task: 'tensor', engine }))
    const loaded = await loadVersion(directory, { ...OPTIONS, triesXla })
    await loaded.dispose()
    return { xla: [...new Set(loaded.calibration.engines.map(({ xla }) => xla))], notes: loaded.notes.filter(note => note.includes('XLA')) }
  }
  t.strictSame(await loadedWith({}, true), { xla: [false], notes: [] })
  t.strictSame(await loadedWith({ xla: 'auto' }), { xla: [false], notes: [] })
  t.match(await loadedWith({ xla: true }), { xla: [true], notes: [/on a GPU only/] })
})

t.test('products in bfloat16 are as near as 8 bits of mantissa are', async t => {
  const directory = join(t.testdir(), '1')
  const weights = Float32Array.from({ length: 64 * 64 }, (_, index) => Math.sin(index))
  await writeTinyModel(directory, ({ graph, variable }) => {
    const x = graph.placeholder('float32', [-1, 64], 'x')
    return { serving_default: { inputs: { x }, outputs: { y: graph.apply('MatMul', [x, variable('weights', floats([64, 64], weights))]) } } }
  })
  const x = floats([1, 64], Float32Array.from({ length: 64 }, (_, index) => Math.cos(index)))
  const run = async (engine: object): Promise<{ y: Float32Array, precision: string }> => {
    await writeFile(join(directory, 'model.json'), JSON.stringify({ format: 1, task: 'tensor', engine }))
    const loaded = await loadVersion(directory, OPTIONS)
    const { y } = await loaded.run('serving_default', { x })
    await loaded.dispose()
    return { y: y!.data as Float32Array, precision: loaded.calibration.engine.precision }
  }
  const [exact, half] = [await run({ precision: 'float32' }), await run({ precision: 'bfloat16' })]
  t.strictSame([exact.precision, half.precision], ['float32', 'bfloat16'])
  const largest = Math.max(...exact.y.map(Math.abs))
  t.ok(exact.y.every((value, index) => Math.abs(value - half.y[index]!) <= 0.02 * largest))
})

t.test('a signature that changes state keeps to the model as it was loaded', async t => {
  const directory = join(t.testdir(), '1')
  await writeTinyModel(directory, ({ graph, variable }) => {
    const count = variable('count', floats([], [0]))
    const x = graph.placeholder('float32', [-1], 'x')
    const counted = graph.op('AssignAddVariableOp', [graph.output('count:0')!, graph.scalar('float32', 1)], { dtype: 'float32' })
    const after = graph.apply('ReadVariableOp', [graph.output('count:0')!], { dtype: 'float32' }, { controlInputs: [counted] })
    return { serving_default: { inputs: { x }, outputs: { y: graph.apply('Mul', [x, count]) } }, add: { inputs: {}, outputs: { n: after } } }
  })
  const loaded = await loadVersion(directory, OPTIONS)
  const count = async (): Promise<number> => Number((await loaded.run('add', {}))['n']!.data[0])
  t.strictSame([await count(), await count()], [1, 2], 'nothing was counted while it was loaded')
  const { y } = await loaded.run('serving_default', { x: floats([1], [10]) }) as { y: TensorValue }
  t.strictSame(y, floats([1], [20]), 'what reads a variable that is written sees it change')
  await loaded.dispose()
})
