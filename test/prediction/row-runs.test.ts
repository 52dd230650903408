import t from 'tap'
import { runRows } from '../../src/prediction/row-runs.ts'
import { Trace } from '../../src/prediction/trace.ts'
import type { ModelVersion } from '../../src/registry/model-version.ts'
import { floats, type TensorValue } from '../../src/tensorflow/index.ts'
import { fakeModels, fakeSignature } from '../support/server.ts'

/** Gives back its input, and keeps what each run was given. */
function echo (rows: number, outputRows?: number): { version: ModelVersion, runs: number[][] } {
  const runs: number[][] = []
  const { version } = fakeModels({
    signatures: fakeSignature({ x: ['float32', [rows, 2]] }, { y: ['float32', [rows, 2]] }),
    manifest: { format: 1, task: 'tensor', signature: 'serving_default', output: 'y' },
    run: async (_signature, { x }) => {
      runs.push(Array.from(x!.data as Float32Array))
      const y: TensorValue = outputRows === undefined ? x! : floats([outputRows, 2], new Array<number>(outputRows * 2).fill(0))
      return { outputs: { y }, queueMs: 1, inferMs: 2 }
    }
  }).acquire('fake')
  return { version, runs }
}

async function run (version: ModelVersion, rows: number, trace = new Trace(0)): Promise<TensorValue> {
  const x = floats([rows, 2], Array.from({ length: rows * 2 }, (_, index) => index))
  return await runRows({ version, inputs: { x }, rows, terms: {}, trace })
}

t.test('rows of an open number go in one run', async t => {
  const { version, runs } = echo(-1)
  const trace = new Trace(0)
  t.strictSame(await run(version, 3, trace), floats([3, 2], [0, 1, 2, 3, 4, 5]))
  t.strictSame(runs, [[0, 1, 2, 3, 4, 5]])
  t.strictSame([...trace.phases], [['queue', 1], ['infer', 2]])
})

t.test('a fixed number of rows is filled up with the last one, and what came of that dropped', async t => {
  const { version, runs } = echo(2)
  const trace = new Trace(0)
  t.strictSame(await run(version, 3, trace), floats([3, 2], [0, 1, 2, 3, 4, 5]))
  t.strictSame(runs, [[0, 1, 2, 3], [4, 5, 4, 5]])
  t.strictSame([...trace.phases], [['queue', 2], ['infer', 4]], 'the times of both runs')
})

t.test('more rows than one run takes come back in their order', async t => {
  const { version, runs } = echo(-1)
  const { shape, data } = await run(version, 150)
  t.strictSame(shape, [150, 2])
  t.strictSame(Array.from(data as Float32Array), Array.from({ length: 300 }, (_, index) => index))
  t.strictSame(runs.map(({ length }) => length), [128, 128, 44])
})

t.test('an output that has not a row for each row is the model’s failure', async t => {
  await t.rejects(run(echo(-1, 2).version, 3), { code: 'SERVE_INFERENCE_FAILED', message: /\[2, 2\] for 3 rows/ })
})
