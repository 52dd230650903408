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

t.test('an LSTM, a pool and a resize give the same with newer instructions and with older ones', { skip }, async t => {
  const best = await kernelResults('on')
  for (const older of ['avx2', 'baseline']) {
    const found = await kernelResults(older)
    t.strictSame(found.map(({ length }) => length), best.map(({ length }) => length))
    const differences = found.map((numbers, result) => numbers.reduce((most, number, index) => Math.max(most, Math.abs(number - best[result]![index]!)), 0))
    const steps = differences.pop()! // of a picture: what lies between two of them may be rounded either way
    t.ok(Math.max(...differences) < 1e-5 && steps <= 1, older, { differences, steps })
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

async function resize (t: Test, pixels: number[], [height, width]: [number, number], measures: number[], kernel: string): Promise<{ own: TensorValue, theirs: TensorValue }> {
  const graph = new Graph()
  const session = new Session(graph)
  t.teardown(async () => { await session.close(); graph.dispose() })
  const scope = new Scope(graph, 'test')
  const picture = graph.constant({ dtype: 'uint8', shape: [height, width, 3], data: Uint8Array.from(pixels) })
  const [outHeight, outWidth, down, across, top, left] = measures as [number, number, number, number, number, number]
  const theirs = scope.op('ScaleAndTranslate', [scope.expandDims(picture, 0), scope.ints([outHeight, outWidth]), graph.constant(floats([2], [down, across])), graph.constant(floats([2], [top, left]))], { kernel_type: kernel, antialias: true })
  const [own] = await session.run({ fetches: [scope.op('TensorportResize', [picture, graph.constant(floats([6], measures))], { kernel_type: kernel })] }) // first: theirs refuses the same
  const [reference] = await session.run({ fetches: [theirs] })
  return { own: own!, theirs: reference! }
}

for (const kernel of ['triangle', 'keyscubic', 'mitchellcubic', 'lanczos3']) {
  t.test(`a picture resized with ${kernel} is what TensorFlow makes of it, rounded`, { skip }, async t => {
    const random = seededRandom(5)
    const [height, width] = [53, 71]
    const pixels = Array.from({ length: height * width * 3 }, () => Math.floor(random() * 256))
    for (const [outHeight, outWidth, part] of [[20, 24, 1], [53, 71, 1], [90, 160, 1], [1, 1, 1], [17, 200, 1], [16, 16, 0.5], [40, 40, 0.75]] as const) {
      const [down, across] = [outHeight / height / part, outWidth / width / part]
      const crop = (1 - part) / 2 / part
      const { own, theirs } = await resize(t, pixels, [height, width], [outHeight, outWidth, down, across, -crop * outHeight, -crop * outWidth], kernel)
      t.strictSame([own.dtype, own.shape], ['uint8', [1, outHeight, outWidth, 3]])
      const worst = Math.max(...Array.from(own.data as Uint8Array, (pixel, index) => Math.abs(pixel - Math.min(255, Math.max(0, (theirs.data as Float32Array)[index]!)))))
      t.ok(worst < 0.501, `${outHeight} × ${outWidth} differs by ${worst} at most`)
    }
  })
}

t.test('what is no picture, or not to be measured, is refused', { skip }, async t => {
  const pixels = Array.from({ length: 12 }, (_, index) => index)
  await t.rejects(resize(t, pixels, [2, 2], [0, 4, 1, 1, 0, 0], 'triangle'), { code: 'INVALID_ARGUMENT', message: /more than 0 and less than 65536/ })
  await t.rejects(resize(t, pixels, [2, 2], [4, 4, 1, NaN, 0, 0], 'triangle'), { code: 'INVALID_ARGUMENT', message: /more than 0 and less than 65536/ })
  await t.rejects(resize(t, [], [0, 2], [4, 4, 1, 1, 0, 0], 'triangle'), { code: 'INVALID_ARGUMENT' })
  await t.rejects(resize(t, pixels, [2, 2], [4, 4, 1, 1, 0, 0], 'lanczos1'), { code: 'INVALID_ARGUMENT', message: /triangle, keyscubic, mitchellcubic or lanczos3/ })
})

t.test('they are not used where the environment says so', async t => {
  t.equal(hasCustomOperations({ env: { ...process.env, TENSORPORT_CUSTOM_OPERATIONS: 'off' } }), false)
})
