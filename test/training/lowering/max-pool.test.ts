import t, { type Test } from 'tap'
import { floats, Graph, hasCustomOperations, loadLibrary, Session, type TensorValue } from '../../../src/tensorflow/index.ts'
import { gradients } from '../../../src/training/gradients.ts'
import { canPoolAtOnce, maxPool, maxPoolAtOnce, type MaxPooling } from '../../../src/training/lowering/max-pool.ts'
import { Scope } from '../../../src/training/lowering/scope.ts'
import { seededRandom } from '../../../src/training/random.ts'
import { tf } from '../../../src/training/tf.ts'
import { compareLowering } from '../../support/compare-lowering.ts'

loadLibrary()

const { layers } = tf
/** Without a C++ compiler, or on a GPU. */
const skip = hasCustomOperations() ? false : 'tensorport\'s own operations are not built here'

type Shape = readonly [images: number, height: number, width: number, channels: number]

interface Case extends Pick<MaxPooling, 'size' | 'strides' | 'padding'> {
  readonly shape: Shape
}

const cases: Case[] = [
  { shape: [3, 6, 8, 37], size: [2, 2], strides: [2, 2], padding: 'VALID' },
  { shape: [2, 7, 7, 16], size: [2, 2], strides: [2, 2], padding: 'VALID' },
  { shape: [2, 7, 5, 3], size: [3, 3], strides: [2, 2], padding: 'SAME' },
  { shape: [1, 5, 6, 20], size: [3, 2], strides: [1, 1], padding: 'SAME' },
  { shape: [1, 9, 9, 4], size: [2, 3], strides: [3, 4], padding: 'VALID' },
  { shape: [70, 30, 30, 32], size: [2, 2], strides: [2, 2], padding: 'VALID' }
]

/** Pooled, and the gradient of the numbers: whole ones, so that many windows have their largest twice. */
async function results (t: Test, { shape, ...pooling }: Case, isPositive: boolean, way: typeof maxPool): Promise<TensorValue[]> {
  const graph = new Graph()
  const session = new Session(graph)
  t.teardown(async () => { await session.close(); graph.dispose() })
  const scope = new Scope(graph, 'test')
  const random = seededRandom(9)
  const x = graph.placeholder('float32', [-1, ...shape.slice(1)])
  const y = way(scope, { x, ...pooling, isPositive })
  const [dx] = gradients(graph, [scope.mul(y, scope.op('Cos', [y]))], [x])
  const count = shape.reduce((product, side) => product * side, 1)
  const feeds = [[x, floats(shape, Array.from({ length: count }, () => Math.floor(7 * random()) - 3))]] as const
  return [{ dtype: 'int32', shape: [y.shape!.length], data: Int32Array.from(y.shape!) }, ...await session.run({ feeds, fetches: [y, dx!] })]
}

for (const given of cases) {
  for (const isPositive of [true, false]) {
    t.test(`${given.padding} ${given.size.join('×')} by ${given.strides.join(', ')} of ${given.shape.join('×')}${isPositive ? ', then relu,' : ''} gives the same to the bit at once`, { skip }, async t => {
      t.strictSame(await results(t, given, isPositive, maxPoolAtOnce), await results(t, given, isPositive, maxPool))
    })
  }
}

t.test('what is not a number comes out as it is', { skip }, async t => {
  const graph = new Graph()
  const session = new Session(graph)
  t.teardown(async () => { await session.close(); graph.dispose() })
  const x = graph.constant(floats([1, 2, 4, 1], [1, 2, NaN, 4, 3, NaN, 5, 6]))
  const y = maxPoolAtOnce(new Scope(graph, 'test'), { x, size: [2, 2], strides: [2, 2], padding: 'VALID', isPositive: true })
  const [found] = await session.run({ fetches: [y] })
  t.ok((found!.data as Float32Array).every(Number.isNaN))
})

t.test('a convolution, relu and a pool learn as in tf.layers, alone or beside another way', async t => {
  const images = [tf.randomNormal([3, 9, 9, 2], 0, 1, 'float32', 5)]
  const conv = (): tf.layers.Layer => layers.conv2d({ filters: 5, kernelSize: 3, activation: 'relu', inputShape: [9, 9, 2] })
  await compareLowering(t, tf.sequential({ layers: [conv(), layers.maxPooling2d({ poolSize: 2 }), layers.conv2d({ filters: 3, kernelSize: 2, activation: 'relu' }), layers.maxPooling2d({ poolSize: 2 }), layers.flatten(), layers.dense({ units: 2 })] }), {}, images)
  const input = tf.input({ shape: [9, 9, 2] })
  const seen = conv().apply(input) as tf.SymbolicTensor
  const both = layers.concatenate().apply([layers.flatten().apply(seen) as tf.SymbolicTensor, layers.flatten().apply(layers.maxPooling2d({ poolSize: 3, padding: 'same' }).apply(seen)) as tf.SymbolicTensor])
  await compareLowering(t, tf.model({ inputs: input, outputs: layers.dense({ units: 2 }).apply(both) as tf.SymbolicTensor }), {}, images)
})

t.test('a pool is done at once only where its gradient can go one way', { skip }, async t => {
  const graph = new Graph()
  t.teardown(() => { graph.dispose() })
  const scope = new Scope(graph, 'test')
  const chain = tf.sequential({ layers: [layers.conv2d({ filters: 2, kernelSize: 2, inputShape: [4, 4, 1] }), layers.maxPooling2d({ poolSize: 2 })] })
  t.ok(canPoolAtOnce(scope, chain.layers[1]!))
  t.notOk(canPoolAtOnce(new Scope(graph, 'half', 'bfloat16'), chain.layers[1]!))
  const input = tf.input({ shape: [4, 4, 1] })
  const seen = layers.conv2d({ filters: 2, kernelSize: 1 }).apply(input) as tf.SymbolicTensor
  const pool = layers.maxPooling2d({ poolSize: 1 })
  tf.model({ inputs: input, outputs: layers.add().apply([seen, pool.apply(seen) as tf.SymbolicTensor]) as tf.SymbolicTensor })
  t.notOk(canPoolAtOnce(scope, pool))
})
