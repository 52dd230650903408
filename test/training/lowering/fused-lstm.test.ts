import t, { type Test } from 'tap'
import { elementCount, floats, Graph, hasCustomOperations, loadLibrary, Session, type Output, type TensorValue } from '../../../src/tensorflow/index.ts'
import { gradients } from '../../../src/training/gradients.ts'
import type { Cell } from '../../../src/training/lowering/recurrent/cell.ts'
import { fusedLstm } from '../../../src/training/lowering/recurrent/fused-lstm.ts'
import { Scope } from '../../../src/training/lowering/scope.ts'
import { seededRandom } from '../../../src/training/random.ts'

loadLibrary()

/** Without a C++ compiler, or on a GPU. */
const skip = hasCustomOperations() ? false : 'tensorport\'s own operations are not built here'

const INPUTS = 5
const UNITS = 3

/** Float32 sums of some hundred products in another order differ by about this much. */
const TOLERANCE = 1e-5

/** What the loss is made of: outputs of all steps, the last output, the last cell. */
type Used = 'outputs' | 'h' | 'c'

interface Sizes { steps: number, rows: number, units?: number }

/** In one of tensorport's operations, with operations for each step, or in TensorFlow's kernel. */
type Way = 'own operation' | 'operations for each step' | 'kernel'

/** What comes out and the gradients of x, both first states, both kernels and the bias. */
async function resultsOf (t: Test, { steps, rows, units = UNITS }: Sizes, used: readonly Used[], way: Way): Promise<TensorValue[]> {
  chooseWay(t, way)
  const graph = new Graph()
  const session = new Session(graph)
  t.teardown(async () => { await session.close(); graph.dispose() })
  const scope = new Scope(graph, 'test')
  const random = seededRandom(7)
  // Of so many units' sums, such as gates are not wide open or shut by.
  const most = Math.sqrt(UNITS / units)
  const numbers = (shape: number[]): TensorValue => floats(shape, Array.from({ length: elementCount(shape) }, () => most * (2 * random() - 1)))
  const [x, h0, c0] = [graph.placeholder('float32', [way === 'operations for each step' ? steps : -1, -1, INPUTS]), graph.placeholder('float32', [-1, units]), graph.placeholder('float32', [-1, units])] as const
  const feeds = [[x, numbers([steps, rows, INPUTS])], [h0, numbers([rows, units])], [c0, numbers([rows, units])]] as const
  const [kernel, recurrentKernel, bias] = [[INPUTS, 4 * units], [units, 4 * units], [4 * units]].map(shape => graph.constant(numbers(shape))) as [Output, Output, Output]
  const cell = { projecting: { weights: { kernel, bias }, masks: {} }, stepping: { weights: { recurrentKernel }, masks: {} } } as unknown as Cell
  const { outputs, states: [h, c] } = fusedLstm(scope, cell, { x, states: [h0, c0], isTraining: true, units })
  const all = { outputs, h: h!, c: c! }
  const ys = used.map(name => scope.mul(all[name], graph.constant(numbers(name === 'outputs' ? [steps, rows, units] : [rows, units]))))
  const found = gradients(graph, ys, [x, h0, c0, kernel, recurrentKernel, bias])
  return await session.run({ feeds, fetches: [outputs, h!, c!, ...found.map(gradient => gradient!)] })
}

/** The largest difference of a number from another, as a share of it where it is more than 1. */
function difference ({ data }: TensorValue, expected: TensorValue): number {
  return (expected.data as Float32Array).reduce((most, number, index) => Math.max(most, Math.abs(number - Number(data[index])) / Math.max(1, Math.abs(number))), 0)
}

function chooseWay (t: Test, way: Way): void {
  const { TENSORPORT_CUSTOM_OPERATIONS: before } = process.env
  process.env['TENSORPORT_CUSTOM_OPERATIONS'] = way === 'own operation' ? 'on' : 'off'
  t.teardown(() => { if (before === undefined) delete process.env['TENSORPORT_CUSTOM_OPERATIONS']; else process.env['TENSORPORT_CUSTOM_OPERATIONS'] = before })
}

const sizes: Sizes[] = [{ steps: 4, rows: 6 }, { steps: 3, rows: 5 }, { steps: 3, rows: 1 }, { steps: 1, rows: 2 }, { steps: 1, rows: 1 }, { steps: 40, rows: 16 }]
/** With registers that are full, with what is left over, and with rows for several threads. */
const wideSizes: Sizes[] = [{ steps: 3, rows: 13, units: 64 }, { steps: 2, rows: 7, units: 37 }, { steps: 3, rows: 29, units: 100 }, { steps: 50, rows: 64, units: 64 }]
const uses: Used[][] = [['outputs', 'h', 'c'], ['outputs'], ['h'], ['c']]

async function compare (t: Test, given: Sizes, used: readonly Used[], way: Way): Promise<void> {
  const [found, expected] = [await resultsOf(t, given, used, way), await resultsOf(t, given, used, 'kernel')]
  t.strictSame(found.map(({ shape }) => shape), expected.map(({ shape }) => shape))
  const differences = found.map((gradient, index) => difference(gradient, expected[index]!))
  t.ok(Math.max(...differences) < TOLERANCE, 'outputs, both last states; gradients of x, both states, both kernels and the bias', { differences })
}

for (const used of uses) {
  for (const given of sizes) {
    t.test(`${given.steps} steps of ${given.rows} rows give the same gradients one by one as in the kernel, from ${used.join(', ')}`, async t => {
      await compare(t, given, used, 'operations for each step')
    })
  }
  for (const given of [...sizes, ...wideSizes]) {
    t.test(`${given.steps} steps of ${given.rows} rows and ${given.units ?? UNITS} units give the same in tensorport's operation as in TensorFlow's, from ${used.join(', ')}`, { skip }, async t => {
      await compare(t, given, used, 'own operation')
    })
  }
}

/** `TensorportLstm` of 3 inputs and 3 units on [steps, rows, 3]: gates, cells and outputs. */
async function walk (t: Test, x: TensorValue, { state = floats([x.shape[1]!, 3], new Array<number>(3 * x.shape[1]!).fill(0.5)), kernelRows = 6 } = {}): Promise<TensorValue[]> {
  chooseWay(t, 'own operation')
  hasCustomOperations()
  const graph = new Graph()
  const session = new Session(graph)
  t.teardown(async () => { await session.close(); graph.dispose() })
  const scope = new Scope(graph, 'test')
  const random = seededRandom(3)
  const kernel = graph.constant(floats([kernelRows, 12], Array.from({ length: 12 * kernelRows }, () => 2 * random() - 1)))
  const [first, cell] = [graph.constant(state), graph.constant(state)]
  const lstm = scope.operation('TensorportLstm', [graph.constant(x), first, cell, kernel, scope.zeros([12])])
  return await session.run({ fetches: [0, 1, 2].map(index => lstm.output(index)) })
}

t.test('a row gives the same to the bit whatever rows are beside it', { skip }, async t => {
  const random = seededRandom(5)
  const rows = Array.from({ length: 29 }, () => Array.from({ length: 3 }, () => 4 * random() - 2))
  const together = await walk(t, floats([1, 29, 3], rows.flat()))
  for (const count of [1, 5, 12, 13]) {
    const alone = await walk(t, floats([1, count, 3], rows.slice(0, count).flat()))
    alone.forEach(({ data }, index) => { t.strictSame(data, (together[index]!.data as Float32Array).slice(0, data.length)) })
  }
})

t.test('sums beyond all measure open and shut gates, and what is not a number stays so', { skip }, async t => {
  const [gates, c, h] = await walk(t, floats([1, 2, 3], [1e30, -1e30, 1e30, NaN, 0, 0]))
  const found = Array.from(gates!.data as Float32Array)
  t.ok(found.slice(0, 12).every(gate => Math.abs(gate) < 1e-6 || Math.abs(Math.abs(gate) - 1) < 1e-6), 'at 0, 1 or −1', { found })
  for (const data of [found.slice(12), Array.from(c!.data as Float32Array).slice(3), Array.from(h!.data as Float32Array).slice(3)]) t.ok(data.every(Number.isNaN))
})

t.test('shapes that do not belong together are refused', { skip }, async t => {
  const x = floats([1, 2, 3], new Array<number>(6).fill(0))
  await t.rejects(walk(t, x, { state: floats([1, 3], [0, 0, 0]) }), { code: 'INVALID_ARGUMENT', message: /Input 1 has another shape/ })
  await t.rejects(walk(t, x, { kernelRows: 5 }), { code: 'INVALID_ARGUMENT', message: /Input 3 has another shape/ })
})

t.test('more steps than a graph should have operations for go back in the kernel', async t => {
  chooseWay(t, 'kernel')
  const count = (steps: number): number => {
    const graph = new Graph()
    t.teardown(() => { graph.dispose() })
    const scope = new Scope(graph, 'test')
    const cell = { projecting: { weights: { kernel: scope.zeros([1, 4]) }, masks: {} }, stepping: { weights: { recurrentKernel: scope.zeros([1, 4]) }, masks: {} } } as unknown as Cell
    const x = graph.placeholder('float32', [steps, -1, 1])
    const { states: [h] } = fusedLstm(scope, cell, { x, states: [scope.zeros([2, 1]), scope.zeros([2, 1])], isTraining: true, units: 1 })
    gradients(graph, [h!], [x])
    return [...graph.operations()].length
  }
  t.ok(count(256) > 1000)
  t.ok(count(257) < 300)
})
