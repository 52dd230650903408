import t, { type Test } from 'tap'
import { floats, Graph, loadLibrary, Session, type Output, type TensorValue } from '../../../src/tensorflow/index.ts'
import { gradients } from '../../../src/training/gradients.ts'
import type { Cell } from '../../../src/training/lowering/recurrent/cell.ts'
import { fusedLstm } from '../../../src/training/lowering/recurrent/fused-lstm.ts'
import { Scope } from '../../../src/training/lowering/scope.ts'
import { seededRandom } from '../../../src/training/random.ts'

loadLibrary()

const INPUTS = 5
const UNITS = 3

/** Float32 sums of some hundred products in another order differ by about this much. */
const TOLERANCE = 1e-5

/** What the loss is made of: outputs of all steps, the last output, the last cell. */
type Used = 'outputs' | 'h' | 'c'

interface Sizes { steps: number, rows: number }

/** Gradients of x, both first states, both kernels and the bias. @param knowsSteps with operations for each step, else in TensorFlow's kernel */
async function gradientsOf (t: Test, { steps, rows }: Sizes, used: readonly Used[], knowsSteps: boolean): Promise<TensorValue[]> {
  const graph = new Graph()
  const session = new Session(graph)
  t.teardown(async () => { await session.close(); graph.dispose() })
  const scope = new Scope(graph, 'test')
  const random = seededRandom(7)
  const numbers = (shape: number[]): TensorValue => floats(shape, Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * random() - 1))
  const [x, h0, c0] = [graph.placeholder('float32', [knowsSteps ? steps : -1, -1, INPUTS]), graph.placeholder('float32', [-1, UNITS]), graph.placeholder('float32', [-1, UNITS])] as const
  const feeds = [[x, numbers([steps, rows, INPUTS])], [h0, numbers([rows, UNITS])], [c0, numbers([rows, UNITS])]] as const
  const [kernel, recurrentKernel, bias] = [[INPUTS, 4 * UNITS], [UNITS, 4 * UNITS], [4 * UNITS]].map(shape => graph.constant(numbers(shape))) as [Output, Output, Output]
  const cell = { projecting: { weights: { kernel, bias }, masks: {} }, stepping: { weights: { recurrentKernel }, masks: {} } } as unknown as Cell
  const { outputs, states: [h, c] } = fusedLstm(scope, cell, { x, states: [h0, c0], isTraining: true, units: UNITS })
  const all = { outputs, h: h!, c: c! }
  const ys = used.map(name => scope.mul(all[name], graph.constant(numbers(name === 'outputs' ? [steps, rows, UNITS] : [rows, UNITS]))))
  const found = gradients(graph, ys, [x, h0, c0, kernel, recurrentKernel, bias])
  return await session.run({ feeds, fetches: found.map(gradient => gradient!) })
}

/** The largest difference of a number from another, as a share of it where it is more than 1. */
function difference ({ data }: TensorValue, expected: TensorValue): number {
  return Math.max(0, ...Array.from(expected.data as Float32Array, (number, index) => Math.abs(number - Number(data[index])) / Math.max(1, Math.abs(number))))
}

const sizes: Sizes[] = [{ steps: 4, rows: 6 }, { steps: 3, rows: 5 }, { steps: 3, rows: 1 }, { steps: 1, rows: 2 }, { steps: 1, rows: 1 }, { steps: 40, rows: 16 }]
const uses: Used[][] = [['outputs', 'h', 'c'], ['outputs'], ['h'], ['c']]

for (const { steps, rows } of sizes) {
  for (const used of uses) {
    t.test(`${steps} steps of ${rows} rows give the same gradients one by one as in the kernel, from ${used.join(', ')}`, async t => {
      const [found, expected] = [await gradientsOf(t, { steps, rows }, used, true), await gradientsOf(t, { steps, rows }, used, false)]
      t.strictSame(found.map(({ shape }) => shape), expected.map(({ shape }) => shape))
      const differences = found.map((gradient, index) => difference(gradient, expected[index]!))
      t.ok(Math.max(...differences) < TOLERANCE, 'of x, both states, both kernels and the bias', { differences })
    })
  }
}

t.test('more steps than a graph should have operations for go back in the kernel', async t => {
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
