import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { SignatureBatching } from '../../src/batching/run-request.ts'
import { loadVersion } from '../../src/registry/load-version.ts'
import { floats } from '../../src/tensorflow/index.ts'
import { writeHalfPlusTwo, writeTinyModel, type Signatures, type TinyModel } from '../support/saved-models.ts'

/** How the signature `serving_default` of a model is run, once it is loaded. */
async function batchingOf (t: Test, build: (model: TinyModel) => Signatures): Promise<SignatureBatching | undefined> {
  const directory = join(t.testdir(), '1')
  await writeTinyModel(directory, build)
  const loaded = await loadVersion(directory, { signal: new AbortController().signal, onWarming: () => {}, calibrate: { maxRows: 8, concurrency: undefined } })
  await loaded.dispose()
  return loaded.calibration.batching['serving_default']
}

t.test('rows that do not know of each other are batched, in powers of two', async t => {
  const directory = join(t.testdir(), '1')
  await writeHalfPlusTwo(directory)
  const loaded = await loadVersion(directory, { signal: new AbortController().signal, onWarming: () => {}, calibrate: { maxRows: 8, concurrency: undefined } })
  await loaded.dispose()
  const { batching, sizes, runsInFlight } = loaded.calibration
  const found = batching['serving_default'] as Extract<SignatureBatching, { kind: 'batched' }>
  t.equal(found.kind, 'batched')
  t.strictSame(found.sizes, [1, 2, 4, 8].slice(0, found.sizes.length))
  t.strictSame(sizes.map(({ size }) => size), found.sizes)
  t.ok(runsInFlight >= 1)
})

t.test('rows that change each other are not', async t => {
  const found = await batchingOf(t, ({ graph, variable }) => {
    const x = graph.placeholder('float32', [-1, 2], 'x')
    const mean = graph.apply('Mean', [x, graph.ints([0])], { keep_dims: true })
    return { serving_default: { inputs: { x }, outputs: { y: graph.apply('Mul', [graph.apply('Sub', [x, mean]), variable('a', floats([], [2]))]) } } }
  })
  t.strictSame(found, { kind: 'alone', reason: 'rows change each other\'s output "y"' })
})

t.test('a scalar, a fixed number of rows and an output without rows are not', async t => {
  for (const [shape, reason] of [[[], /input "x" of shape \[\] has no free first dimension/], [[1, 2], /input "x" of shape \[1, 2\]/]] as const) {
    const found = await batchingOf(t, ({ graph, variable }) => {
      const x = graph.placeholder('float32', shape, 'x')
      return { serving_default: { inputs: { x }, outputs: { y: graph.apply('Mul', [x, variable('a', floats([], [2]))]) } } }
    })
    t.match(found, { kind: 'alone', reason })
  }
  const sum = await batchingOf(t, ({ graph, variable }) => {
    const x = graph.placeholder('float32', [-1], 'x')
    return { serving_default: { inputs: { x }, outputs: { y: graph.apply('Mul', [graph.apply('Sum', [x, graph.ints([0])]), variable('a', floats([], [2]))]) } } }
  })
  t.match(sum, { kind: 'alone', reason: /output "y" of shape \[\]/ })
})

t.test('a signature that changes the model\'s state is not', async t => {
  const found = await batchingOf(t, ({ graph, variable }) => {
    variable('count', floats([], [0]))
    const x = graph.placeholder('float32', [-1], 'x')
    const counted = graph.op('AssignAddVariableOp', [graph.output('count:0')!, graph.scalar('float32', 1)], { dtype: 'float32' })
    return { serving_default: { inputs: { x }, outputs: { y: graph.apply('Identity', [x], {}, { controlInputs: [counted] }) } } }
  })
  t.strictSame(found, { kind: 'alone', reason: 'it changes the model\'s state' })
})
