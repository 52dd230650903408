import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Graph, floats, loadLibrary, Session, type Output, type TensorValue } from '../../src/tensorflow/index.ts'
import { brightness, contrast, cutout, flipLeftRight, flipUpDown, mixup, rotate, shift, zoom, type Augmentation } from '../../src/training/augmentation.ts'
import { checkpoint } from '../../src/training/callbacks/checkpoint.ts'
import type { FitOptions } from '../../src/training/fit-run.ts'
import { tensorDataset } from '../../src/training/datasets/dataset.ts'
import { Scope } from '../../src/training/lowering/scope.ts'
import { sgd } from '../../src/training/optimizers.ts'
import { withSeed } from '../../src/training/random.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { tf } from '../../src/training/tf.ts'

loadLibrary()
await tf.setBackend('cpu')

/** Changes one picture of 3×3 pixels, 1 … 9. @param part of the way from the lowest to the highest number that is drawn */
async function change (t: Test, augmentation: Augmentation, part: number): Promise<number[]> {
  const graph = new Graph()
  const session = new Session(graph)
  t.teardown(async () => { await session.close(); graph.dispose() })
  const scope = new Scope(graph, 'test')
  const pictures = graph.placeholder('float32', [-1, 3, 3, 1], 'pictures')
  const { pictures: changed } = augmentation({
    scope,
    pictures,
    targets: [],
    random: (low, high) => graph.constant(floats([1], [low + (high - low) * part])),
    randomSeed: () => graph.constant({ dtype: 'int64', shape: [2], data: BigInt64Array.of(1n, 2n) })
  })
  const [value] = await session.run({ feeds: [[pictures, floats([1, 3, 3, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9])]], fetches: [changed!] })
  return Array.from(value!.data as Float32Array, number => Math.round(number * 1000) / 1000)
}

const cases: [what: string, augmentation: Augmentation, part: number, pixels: number[]][] = [
  ['left is right', flipLeftRight(), 0, [3, 2, 1, 6, 5, 4, 9, 8, 7]],
  ['left stays left', flipLeftRight(), 0.9, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ['up is down', flipUpDown(), 0, [7, 8, 9, 4, 5, 6, 1, 2, 3]],
  ['a pixel up and left', shift(0.34, { fill: 0 }), 0, [5, 6, 0, 8, 9, 0, 0, 0, 0]],
  ['a pixel down and right, borders repeated', shift(0.34, { fill: 'nearest' }), 0.9, [1, 1, 2, 1, 1, 2, 4, 4, 5]],
  ['a quarter turn', rotate(90, { fill: 0 }), 1, [3, 6, 9, 2, 5, 8, 1, 4, 7]],
  ['half the size', zoom(0.5, { fill: 0 }), 0, [0, 0, 0, 0, 5, 0, 0, 0, 0]],
  ['brighter, up to the brightest', brightness(0.5, [0, 10]), 1, [6, 7, 8, 9, 10, 10, 10, 10, 10]],
  ['half the contrast', contrast(0.5), 0, [3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7]],
  ['a pixel covered', cutout(0.34, -1), 0.5, [1, 2, 3, 4, -1, 6, 7, 8, 9]]
]

for (const [what, augmentation, part, pixels] of cases) t.test(what, async t => { t.strictSame(await change(t, augmentation, part), pixels) })

const data = tensorDataset(floats([4, 3, 3, 1], Array.from({ length: 36 }, (_, index) => index / 36)), floats([4, 2], [1, 0, 0, 1, 1, 0, 0, 1]))

/** Pictures go through everything at once. */
const everything = (): Augmentation[] => [flipLeftRight(), rotate(30), zoom(0.2), mixup()]

async function trainerOf (seed: number, augment: Augmentation[]): Promise<Trainer> {
  const { layers } = tf
  const model = withSeed(1, () => tf.sequential({ layers: [layers.flatten({ inputShape: [3, 3, 1] }), layers.dense({ units: 2, activation: 'softmax' })] }))
  return await Trainer.create({ model, loss: 'categoricalCrossentropy', optimizer: sgd({ learningRate: 0.1 }), seed, augment })
}

/** Figures that show which pictures were seen: what is learned, and what is measured before. */
async function learn (seed: number, augment: Augmentation[]): Promise<{ measured: unknown, learned: unknown }> {
  const trainer = await trainerOf(seed, augment)
  try {
    const measured = await trainer.evaluate(data)
    return { measured, learned: (await trainer.fit({ data, epochs: 3, batchSize: 4, shuffle: false })).history }
  } finally {
    await trainer.close()
  }
}

t.test('the same seed shows the same pictures, another one others; what is measured stays as it is', async t => {
  const [plain, one, again, other] = [await learn(1, []), await learn(1, everything()), await learn(1, everything()), await learn(2, everything())]
  t.strictSame(one, again)
  t.notSame(one.learned, other.learned)
  t.notSame(one.learned, plain.learned)
  t.strictSame(one.measured, plain.measured)
})

t.test('mixup lays the picture before over each one, and mixes their targets in the same proportion', async t => {
  const graph = new Graph()
  const session = new Session(graph)
  t.teardown(async () => { await session.close(); graph.dispose() })
  const pictures = graph.placeholder('float32', [-1, 1, 1, 1], 'pictures')
  const targets = graph.placeholder('float32', [-1, 3], 'targets')
  const random = (): never => { throw new Error('Mixup draws from Beta, not evenly.') }
  let uses = 0
  const randomSeed = (): Output => graph.constant({ dtype: 'int64', shape: [2], data: BigInt64Array.of(7n, BigInt(uses++)) })
  const mixed = mixup(1)({ scope: new Scope(graph, 'test'), pictures, targets: [targets], random, randomSeed })
  const feeds: [Output, TensorValue][] = [[pictures, floats([3, 1, 1, 1], [10, 20, 40])], [targets, floats([3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1])]]
  const [seen, wanted] = (await session.run({ feeds, fetches: [mixed.pictures!, mixed.targets![0]!] })).map(({ data }) => Array.from(data as Float32Array)) as [number[], number[]]
  for (const row of [0, 1, 2]) {
    const before = (row + 2) % 3
    const share = wanted[row * 3 + row]!
    t.ok(share > 0 && share < 1, `${share} of row ${row} is its own`)
    t.ok(Math.abs(wanted[row * 3 + before]! - (1 - share)) < 1e-6, 'the rest is that of the row before')
    t.ok(Math.abs(seen[row]! - (share * [10, 20, 40][row]! + (1 - share) * [10, 20, 40][before]!)) < 1e-4)
  }
})

t.test('augmentation refuses what it does not suit', async t => {
  const { layers } = tf
  const pictures = tf.sequential({ layers: [layers.flatten({ inputShape: [3, 3, 1] }), layers.dense({ units: 2 })] })
  const numbers = tf.sequential({ layers: [layers.dense({ units: 2, inputShape: [9] })] })
  const create = async (model: typeof pictures, loss: 'sparseCategoricalCrossentropy' | 'meanSquaredError', augment: Augmentation): Promise<Trainer> => await Trainer.create({ model, loss, optimizer: sgd(), seed: 1, augment: [augment] })
  await t.rejects(create(pictures, 'sparseCategoricalCrossentropy', mixup()), { name: 'RangeError', message: /^Expected targets that can be mixed for mixup/ })
  await t.rejects(create(numbers, 'meanSquaredError', flipUpDown()), { name: 'RangeError', message: /^Expected one input of pictures/ })
  t.throws(() => shift(1), { name: 'RangeError', message: 'Expected a share from 0 up to 1 for shift but received 1' })
  t.throws(() => mixup(0), { name: 'RangeError', message: 'Expected a number over 0 for mixup but received 0' })
})

t.test('a run with augmentation that is stopped and resumed sees the same pictures as one that was not', async t => {
  const path = join(t.testdir(), 'last.safetensors')
  const run = async (options: Partial<FitOptions>): Promise<unknown> => {
    const trainer = await trainerOf(1, everything())
    try {
      await trainer.fit({ data, epochs: 4, batchSize: 2, callbacks: [checkpoint({ path })], ...options })
      return (await trainer.values()).map(([, { data }]) => data)
    } finally {
      await trainer.close()
    }
  }
  const whole = await run({})
  const part = await run({ epochs: 2 })
  t.notSame(part, whole)
  t.strictSame(await run({ resume: path }), whole)
})
