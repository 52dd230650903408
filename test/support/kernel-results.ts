// Prints what one LSTM and one pool give, a resized picture, and their gradients, by tensorport's own operations: a JSON array of arrays. Run as a process of its own, since they choose their instructions once.
import { floats, Graph, hasCustomOperations, loadLibrary, Session } from '../../src/tensorflow/index.ts'
import { gradients } from '../../src/training/gradients.ts'
import { maxPoolAtOnce } from '../../src/training/lowering/max-pool.ts'
import { Scope } from '../../src/training/lowering/scope.ts'
import { runSteps, stepsGradient } from '../../src/training/lowering/recurrent/lstm-steps.ts'
import { seededRandom } from '../../src/training/random.ts'

const [STEPS, ROWS, INPUTS, UNITS] = [7, 19, 21, 37]

loadLibrary()
if (!hasCustomOperations()) throw new Error('There are no custom operations')
const graph = new Graph()
const session = new Session(graph)
const scope = new Scope(graph, 'test')
const random = seededRandom(11)
const [x, h0, c0, kernel, bias, dOutputs, dh, dc] = [[STEPS, ROWS, INPUTS], [ROWS, UNITS], [ROWS, UNITS], [INPUTS + UNITS, 4 * UNITS], [4 * UNITS], [STEPS, ROWS, UNITS], [ROWS, UNITS], [ROWS, UNITS]]
  .map(shape => graph.constant(floats(shape, Array.from({ length: shape.reduce((a, b) => a * b) }, () => 0.6 * random() - 0.3))))
const weights = { kernel: kernel!, bias: bias!, units: UNITS }
const run = runSteps(scope, { x: x!, h0: h0!, c0: c0! }, weights)
const { dx, dh0, dc0, dKernel, dBias } = stepsGradient(scope, run, weights, { dOutputs, dh: dh!, dc: dc! })
const pooled = maxPoolAtOnce(scope, { x: scope.expandDims(x!, 0), size: [2, 3], strides: [1, 2], padding: 'SAME', isPositive: true })
const [dPooled] = gradients(graph, [pooled], [x!])
const picture = graph.constant({ dtype: 'uint8', shape: [61, 83, 3], data: Uint8Array.from({ length: 61 * 83 * 3 }, () => Math.floor(256 * random())) })
const resized = scope.op('TensorportResize', [picture, graph.constant(floats([6], [20, 97, 0.34, 1.2, -1, -2]))], { kernel_type: 'lanczos3' })
const results = await session.run({ fetches: [run.gates, run.c, run.h, dx, dh0, dc0, dKernel, dBias, pooled, dPooled!, scope.op('Cast', [resized], { DstT: 'float32' })] })
console.log(JSON.stringify(results.map(({ data }) => Array.from(data as Float32Array))))
await session.close()
graph.dispose()
