import { existsSync, readdirSync } from 'node:fs'
import t from 'tap'
import { floats, freezeSavedModel, Graph, loadLibrary, loadSavedModel, Session, StringView, strings, Tensor, type Output } from '../../src/tensorflow/index.ts'
import { writeHalfPlusTwo } from '../support/saved-models.ts'

loadLibrary()
const tasks = '/proc/self/task'
const withoutTasks = { skip: existsSync(tasks) ? false : 'no /proc' }

function doubling (): { graph: Graph, session: Session, x: Output, y: Output } {
  const graph = new Graph()
  const x = graph.placeholder('float32', null, 'x')
  return { graph, session: new Session(graph), x, y: graph.apply('AddV2', [x, x]) }
}

t.test('keeps many runs in flight apart', async t => {
  const { graph, session, x, y } = doubling()
  t.teardown(async () => { await session.close(); graph.dispose() })
  const results = await Promise.all(Array.from({ length: 200 }, async (_, index) => (await session.run({ feeds: [[x, floats([1], [index])]], fetches: [y] }))[0]!.data[0]))
  t.strictSame(results, Array.from({ length: 200 }, (_, index) => 2 * index))
})

t.test('copies fed values before it returns, so that the caller may write over them', async t => {
  const { graph, session, x, y } = doubling()
  t.teardown(async () => { await session.close(); graph.dispose() })
  const data = Float32Array.of(21)
  const running = session.run({ feeds: [[x, { dtype: 'float32', shape: [1], data }]], fetches: [y] })
  data[0] = 0
  t.strictSame(await running, [floats([1], [42])])
})

t.test('puts together what is fed in parts, and refuses too many or too few', async t => {
  const { graph, session, x, y } = doubling()
  t.teardown(async () => { await session.close(); graph.dispose() })
  const parts = [Float32Array.of(1, 2), new Float32Array(0), Float32Array.of(0, 3, 0).subarray(1, 2), Float32Array.of(4)]
  t.strictSame(await session.run({ feeds: [[x, { dtype: 'float32', shape: [2, 2], parts }]], fetches: [y] }), [floats([2, 2], [2, 4, 6, 8])])
  await t.rejects(session.run({ feeds: [[x, { dtype: 'float32', shape: [3, 2], parts }]], fetches: [y] }), { message: 'Expected 24 bytes for float32 [3, 2] but received 16' })
})

t.test('writes what it computes into memory that is given, if that is as large', async t => {
  const { graph, session, x, y } = doubling()
  t.teardown(async () => { await session.close(); graph.dispose() })
  const all = new Float32Array(6)
  const into = all.subarray(2, 4)
  const other = new Float32Array(2)
  const negative = graph.apply('Neg', [x])
  await session.runInto({ feeds: [[x, floats([2], [1, 2])]], fetches: [y, negative] }, [into, other])
  t.strictSame([all, other], [Float32Array.of(0, 0, 2, 4, 0, 0), Float32Array.of(-1, -2)])
  await t.rejects(session.runInto({ feeds: [[x, floats([3], [1, 2, 3])]], fetches: [y] }, [into]), { message: 'Expected memory of 12 bytes but received 8' })
})

t.test('takes a tensor that the caller has written in place, and leaves it to the caller', async t => {
  const { graph, session, x, y } = doubling()
  const tensor = Tensor.allocate('float32', [2, 2])
  t.teardown(async () => { tensor.dispose(); await session.close(); graph.dispose() })
  new Float32Array(tensor.bytes.buffer).set([1, 2, 3, 4])
  t.strictSame(await session.run({ feeds: [[x, tensor]], fetches: [y] }), [floats([2, 2], [2, 4, 6, 8])])
  t.strictSame(await session.run({ feeds: [[x, tensor]], fetches: [y] }), [floats([2, 2], [2, 4, 6, 8])])
})

t.test('a string that stays where it is is pointed at others, of any length', async t => {
  const graph = new Graph()
  const session = new Session(graph)
  const view = new StringView()
  t.teardown(async () => { view.tensor.dispose(); await session.close(); graph.dispose() })
  const text = graph.placeholder('string', [])
  const upper = graph.apply('StringUpper', [text])
  for (const word of ['a', '', 'of some forty letters, so not in the tensor', 'short again']) {
    const bytes = Buffer.from(word)
    view.point(bytes)
    t.strictSame(await session.run({ feeds: [[text, view.tensor]], fetches: [upper] }), [{ dtype: 'string', shape: [], data: [new Uint8Array(Buffer.from(word.toUpperCase()))] }], word)
    t.equal(bytes.toString(), word) // and there until the run is over
  }
})

t.test('runs that fail say why, and the session goes on', async t => {
  const graph = new Graph()
  const [a, b] = [graph.placeholder('float32', null), graph.placeholder('float32', null)]
  const product: Output = graph.apply('MatMul', [a, b])
  const session = new Session(graph)
  t.teardown(async () => { await session.close(); graph.dispose() })
  await t.rejects(session.run({ feeds: [[a, floats([1, 2], [1, 2])], [b, floats([3, 1], [1, 2, 3])]], fetches: [product] }),
    { name: 'TensorFlowError', code: 'INVALID_ARGUMENT', message: /Matrix size-incompatible/ })
  await t.rejects(session.run({ fetches: [product] }), { code: 'INVALID_ARGUMENT', message: /must feed a value/ })
  t.strictSame(await session.run({ feeds: [[a, floats([1, 1], [2])], [b, floats([1, 1], [3])]], fetches: [product] }), [floats([1, 1], [6])])
})

t.test('refuses a value whose data does not fit its shape or type', async t => {
  const { graph, session, x, y } = doubling()
  t.teardown(async () => { await session.close(); graph.dispose() })
  const fed = (value: Parameters<typeof Tensor.from>[0]): Promise<unknown> => session.run({ feeds: [[x, value]], fetches: [y] })
  await t.rejects(fed({ dtype: 'float32', shape: [3], data: Float32Array.of(1) }), { name: 'RangeError', message: 'Expected 3 values for float32 [3] but received 1' })
  await t.rejects(fed({ dtype: 'float32', shape: [1], data: Float64Array.of(1) }), { name: 'RangeError', message: /Expected elements of 4 bytes for float32 but received Float64Array/ })
  await t.rejects(fed({ dtype: 'float32', shape: [-1], data: Float32Array.of(1) }), { name: 'RangeError', message: /whole numbers/ })
})

t.test('closing waits for the runs under way', async t => {
  const { graph, session, x, y } = doubling()
  const runs = Array.from({ length: 20 }, () => session.run({ feeds: [[x, floats([1], [1])]], fetches: [y] }))
  await session.close()
  graph.dispose()
  t.strictSame((await Promise.all(runs)).map(([value]) => value!.data[0]), runs.map(() => 2))
  await t.rejects(session.run({}), { message: /closed/ })
  await session.close()
})

t.test('lets the event loop go on while it runs', async t => {
  const graph = new Graph()
  const matrix = graph.apply('RandomStandardNormal', [graph.ints([700, 700])], { dtype: 'float32', seed: 1, seed2: 1 })
  let product = matrix
  for (let count = 0; count < 20; count++) product = graph.apply('MatMul', [product, matrix])
  const session = new Session(graph)
  t.teardown(async () => { await session.close(); graph.dispose() })
  let turns = 0
  const timer = setInterval(() => { turns++ }, 1)
  await session.run({ fetches: [product] })
  clearInterval(timer)
  t.ok(turns > 0, 'timers fired during the run')
})

t.test('gives back empty tensors, scalars and strings of every length', async t => {
  const graph = new Graph()
  const text = graph.placeholder('string', null)
  const joined = graph.apply('AsString', [graph.placeholder('int64', null, 'numbers')])
  const session = new Session(graph)
  t.teardown(async () => { await session.close(); graph.dispose() })
  const value = strings([2, 2], ['', 'x'.repeat(22), 'y'.repeat(23), 'z'.repeat(70_000)])
  t.strictSame(await session.run({ feeds: [[text, value]], fetches: [graph.apply('Identity', [text])] }), [value])
  const [none, one] = await Promise.all([[0], []].map(async shape =>
    (await session.run({ feeds: [[graph.output('numbers')!, { dtype: 'int64', shape, data: new BigInt64Array(shape.length === 0 ? 1 : 0) }]], fetches: [joined] }))[0]))
  t.strictSame([none, one], [strings([0], []), strings([], ['0'])])
})

t.test('frees what failed and finished runs took', async t => {
  const { graph, session, x, y } = doubling()
  const bad = graph.apply('Reshape', [x, graph.ints([7])])
  t.teardown(async () => { await session.close(); graph.dispose() })
  const value = floats([1_000_000], new Float32Array(1_000_000))
  const round = async (): Promise<void> => {
    await session.run({ feeds: [[x, value]], fetches: [y] })
    await session.run({ feeds: [[x, value]], fetches: [bad] }).catch(() => {})
  }
  for (let count = 0; count < 20; count++) await round()
  const before = process.memoryUsage.rss()
  for (let count = 0; count < 200; count++) await round()
  // One lost 4 MB tensor a round would be 800 MB; garbage not yet collected stays far below a quarter of that.
  t.ok(process.memoryUsage.rss() - before < 200e6, 'resident memory stays')
})

t.test('has a CPU and takes options', async t => {
  const graph = new Graph()
  const session = new Session(graph, { intraOpThreads: 1, interOpThreads: 1, visibleGpus: '' })
  t.teardown(async () => { await session.close(); graph.dispose() })
  t.ok(session.devices().some(({ type }) => type === 'CPU'))
  t.strictSame(await session.run({ fetches: [graph.scalar('int32', 5)] }), [{ dtype: 'int32', shape: [], data: Int32Array.of(5) }])
})

t.test('each session has threads of its own, as many as it asks for', withoutTasks, async t => {
  const graph = new Graph()
  await new Session(graph, { intraOpThreads: 1 }).close() // what is made once a process
  const before = readdirSync(tasks).length
  const one = new Session(graph, { intraOpThreads: 1 })
  const withOne = readdirSync(tasks).length
  const five = new Session(graph, { intraOpThreads: 5 })
  const withBoth = readdirSync(tasks).length
  await Promise.all([one.close(), five.close()])
  graph.dispose()
  t.equal((withBoth - withOne) - (withOne - before), 4)
})

t.test('models that are gone leave no threads behind', withoutTasks, async t => {
  const directory = t.testdir()
  await writeHalfPlusTwo(directory)
  const round = async (): Promise<void> => {
    const loaded = await loadSavedModel(directory, { session: { intraOpThreads: 3, interOpThreads: 2 } })
    const freezing = await freezeSavedModel(loaded, ['serving_default'], { intraOpThreads: 2 })
    if (freezing.kind === 'refused') throw new Error(freezing.reason)
    await freezing.model.run('serving_default', { x: floats([1], [1]) })
    await Promise.all([loaded.dispose(), freezing.model.dispose()])
  }
  for (let count = 0; count < 3; count++) await round()
  const before = readdirSync(tasks).length
  for (let count = 0; count < 50; count++) await round()
  t.ok(readdirSync(tasks).length <= before, 'threads stay')
})
