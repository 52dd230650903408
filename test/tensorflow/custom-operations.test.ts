import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { floats, Graph, hasCustomOperations, loadLibrary, Session, type TensorValue } from '../../src/tensorflow/index.ts'
import { Scope } from '../../src/training/lowering/scope.ts'
import { seededRandom } from '../../src/training/random.ts'

loadLibrary()

/** Without a C++ compiler, or on a GPU. */
const skip = hasCustomOperations() ? false : 'tensorport\'s own operations are not built here'

/** Of the best instructions that the processor has, and of others. */
async function kernelResults (instructions: string): Promise<number[][]> {
  const program = fileURLToPath(new URL('../support/kernel-results.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, program], { env: { ...process.env, TENSORPORT_CUSTOM_OPERATIONS: instructions }, maxBuffer: 1e8 })
  return JSON.parse(stdout) as number[][]
}

t.test('an LSTM and a pool give the same with newer instructions and with older ones', { skip }, async t => {
  const best = await kernelResults('on')
  for (const older of ['avx2', 'baseline']) {
    const found = await kernelResults(older)
    t.strictSame(found.map(({ length }) => length), best.map(({ length }) => length))
    const difference = Math.max(...found.map((numbers, result) => numbers.reduce((most, number, index) => Math.max(most, Math.abs(number - best[result]![index]!)), 0)))
    t.ok(difference < 1e-5, older, { difference })
  }
})

async function segmentSum (t: Test, data: TensorValue, ids: number[], segments: number): Promise<TensorValue> {
  const graph = new Graph()
  const session = new Session(graph)
  t.teardown(async () => { await session.close(); graph.dispose() })
  const scope = new Scope(graph, 'test')
  const [sums] = await session.run({ fetches: [scope.op('TensorportSegmentSum', [graph.constant(data), scope.ints(ids), scope.int(segments)])] })
  return sums!
}

t.test('rows are summed up by their segment, those of none left out', { skip }, async t => {
  const sums = await segmentSum(t, floats([5, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), [1, 3, 1, -1, 4], 4)
  t.strictSame([sums.shape, [...sums.data as Float32Array]], [[4, 2], [0, 0, 6, 8, 0, 0, 3, 4]])
})

t.test('so are none, and as many as several threads take', { skip }, async t => {
  t.strictSame([...(await segmentSum(t, floats([0, 3], []), [], 2)).data as Float32Array], [0, 0, 0, 0, 0, 0])
  const random = seededRandom(3)
  const [rows, columns, segments] = [20_000, 70, 9000]
  const ids = Array.from({ length: rows }, () => Math.floor(random() * segments))
  const numbers = Array.from({ length: rows * columns }, () => Math.floor(random() * 9))
  const expected = new Float32Array(segments * columns)
  ids.forEach((id, row) => { for (let column = 0; column < columns; column++) expected[id * columns + column]! += numbers[row * columns + column]! })
  t.strictSame((await segmentSum(t, floats([rows, columns], numbers), ids, segments)).data, expected)
})

t.test('numbers that are not as many as the rows are refused', { skip }, async t => {
  await t.rejects(segmentSum(t, floats([2, 1], [1, 2]), [0], 2), { code: 'INVALID_ARGUMENT', message: /as many numbers as there are rows/ })
  await t.rejects(segmentSum(t, floats([1, 1], [1]), [0], -1), { code: 'INVALID_ARGUMENT', message: /Input 2 is less than 0/ })
})

t.test('they are not used where the environment says so', async t => {
  t.equal(hasCustomOperations({ ...process.env, TENSORPORT_CUSTOM_OPERATIONS: 'off' }), false)
})
