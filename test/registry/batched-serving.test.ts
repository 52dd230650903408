import { join } from 'node:path'
import t from 'tap'
import type { RunReport } from '../../src/batching/run-request.ts'
import { floats } from '../../src/tensorflow/index.ts'
import { request, startRegistry, until, untilState, versionStatus } from '../support/registry.ts'
import { writeHalfPlusTwo, writeTinyModel } from '../support/saved-models.ts'

t.test('requests at the same time share runs, and each gets the answer that it gets alone', async t => {
  const directory = t.testdir()
  await writeTinyModel(join(directory, 'm/1'), ({ graph, variable }) => {
    const x = graph.placeholder('float32', [-1, 16], 'x')
    const weights = (name: string, rows: number, columns: number): ReturnType<typeof variable> => variable(name, floats([rows, columns], Array.from({ length: rows * columns }, (_, index) => Math.sin(index + 1))))
    const hidden = graph.apply('Relu', [graph.apply('MatMul', [x, weights('w', 16, 64)])])
    return { serving_default: { inputs: { x }, outputs: { y: graph.apply('Softmax', [graph.apply('MatMul', [hidden, weights('v', 64, 4)])]) } } }
  })
  const registry = await startRegistry(t, { directory, runConcurrency: 1 })
  await untilState(registry, 'm', 1, 'available')
  const reports: RunReport[] = []
  registry.watch({ onRun: (_model, report) => { reports.push(report) } })
  const inputs = Array.from({ length: 40 }, (_, request) => ({ x: floats([1 + request % 5, 16], Array.from({ length: (1 + request % 5) * 16 }, (_, index) => Math.cos(request + index))) }))
  const together = await Promise.all(inputs.map(async tensors => await request(registry, 'm', tensors)))
  t.ok(reports.length < 40, 'fewer runs than requests', { runs: reports.length })
  for (const [index, tensors] of inputs.entries()) {
    const alone = await request(registry, 'm', tensors)
    const [found, expected] = [together[index]!.outputs['y']!, alone.outputs['y']!]
    t.strictSame(found.shape, expected.shape)
    const largest = Math.max(...Array.from(found.data as Float32Array, (value, at) => Math.abs(value - Number(expected.data[at]))))
    t.ok(largest < 1e-5, 'sums are added up in another order at another batch size', { largest })
  }
})

t.test('what was measured, and the last minute, are in the version\'s status', async t => {
  const directory = t.testdir()
  await writeHalfPlusTwo(join(directory, 'm/1'))
  const registry = await startRegistry(t, { directory })
  await untilState(registry, 'm', 1, 'available')
  await Promise.all([1, 2, 3].map(async value => await request(registry, 'm', { x: floats([1], [value]) })))
  await until('the runs are counted', () => (versionStatus(registry, 'm', 1)?.lastMinute?.rows ?? 0) === 3)
  t.match(versionStatus(registry, 'm', 1), {
    calibration: { batching: { serving_default: { kind: 'batched' } }, runsInFlight: Number, sizes: [{ size: 1, runMs: Number }], tookMs: Number },
    admissionLimit: 256,
    lastMinute: { requests: 3, rows: 3, failedRuns: 0, rejected: 0 }
  })
})

t.test('a place is refused when too many requests are here, and given again when one has gone', async t => {
  const directory = t.testdir()
  await writeHalfPlusTwo(join(directory, 'm/1'))
  const registry = await startRegistry(t, { directory, maxQueue: 2 })
  await untilState(registry, 'm', 1, 'available')
  const handle = registry.acquire('m')
  const { version } = handle
  const [first] = [version.admit(), version.admit()]
  t.throws(() => version.admit(), { code: 'SERVE_QUEUE_FULL' })
  t.equal(versionStatus(registry, 'm', 1)?.lastMinute?.rejected, 1)
  first?.leave()
  t.doesNotThrow(() => version.admit())
  handle.release()
})
