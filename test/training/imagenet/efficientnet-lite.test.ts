import t from 'tap'
import { Graph, loadLibrary, Session, type TensorValue } from '../../../src/tensorflow/index.ts'
import { seededRandom } from '../../../src/training/random.ts'
import { BLOCKS } from '../../../src/training/imagenet/architecture.ts'
import { buildEfficientNetLite } from '../../../src/training/imagenet/efficientnet-lite.ts'
import { referenceLogits } from '../../support/efficientnet-reference.ts'
import { randomWeights } from '../../support/efficientnet-weights.ts'

loadLibrary()
const tensors = randomWeights(7)

t.test('has 16 blocks, each as wide at its start as the one before at its end', async t => {
  t.equal(BLOCKS.length, 16)
  t.ok(BLOCKS.every(({ inputs }, index) => index === 0 || inputs === BLOCKS[index - 1]?.outputs))
})

t.test('gives what the network with its batch normalizations apart gives', async t => {
  const graph = new Graph()
  const network = buildEfficientNetLite(graph, tensors)
  const reference = referenceLogits(graph, network.pixels, tensors)
  const session = new Session(graph)
  t.teardown(async () => { await session.close(); graph.dispose() })
  for (const [variable, value] of network.values) {
    const input = graph.placeholder('float32', value.shape)
    await session.run({ feeds: [[input, value]], targets: [variable.assign(input)] })
  }

  const pixels: TensorValue = { dtype: 'uint8', shape: [2, 224, 224, 3], data: noise(2 * 224 * 224 * 3) }
  const [logits, expected, features, probabilities] = await session.run({ feeds: [[network.pixels, pixels]], fetches: [network.logits, reference, network.features, network.probabilities] })

  t.strictSame([logits!.shape, features!.shape, probabilities!.shape], [[2, 1000], [2, 1792], [2, 1000]])
  t.ok(spread(expected!) > 0.5, 'the rows differ enough to tell')
  // 50 layers of float32 in another order of rounding; the logits are about 1
  t.ok(largestDifference(logits!, expected!) < 1e-4, `differ by ${largestDifference(logits!, expected!)}`)
  const sums = [0, 1].map(row => (probabilities!.data as Float32Array).subarray(1000 * row, 1000 * (row + 1)).reduce((sum, value) => sum + value))
  t.ok(sums.every(sum => Math.abs(sum - 1) < 1e-5))
})

const changes: [what: string, change: (copy: Map<string, TensorValue>) => void, message: RegExp][] = [
  ['without one of its tensors', copy => { copy.delete('_blocks.3._bn1.bias') }, /no tensor "_blocks.3._bn1.bias"/],
  ['with a tensor of another shape', copy => { copy.set('_bn0.weight', { dtype: 'float32', shape: [31], data: new Float32Array(31) }) }, /"_bn0.weight" is float32 \[31\]; needed is float32 \[32\]/],
  ['with a tensor of another type', copy => { copy.set('_fc.bias', { dtype: 'int32', shape: [1000], data: new Int32Array(1000) }) }, /"_fc.bias" is int32/],
  ['with a tensor too many', copy => { copy.set('_blocks.16._bn1.bias', copy.get('_bn0.bias')!) }, /has 1 tensors that the model has no place for, "_blocks.16._bn1.bias" among them/]
]

for (const [what, change, message] of changes) {
  t.test(`refuses a file ${what}`, async t => {
    const copy = new Map(tensors)
    change(copy)
    const graph = new Graph()
    t.teardown(() => { graph.dispose() })
    t.throws(() => buildEfficientNetLite(graph, copy), { code: 'TRAIN_BAD_WEIGHTS', message })
  })
}

function noise (length: number): Uint8Array {
  const random = seededRandom(1)
  return Uint8Array.from({ length }, () => 256 * random())
}

function largestDifference (left: TensorValue, right: TensorValue): number {
  const other = right.data as Float32Array
  return (left.data as Float32Array).reduce((largest, value, index) => Math.max(largest, Math.abs(value - other[index]!)), 0)
}

/** Largest difference between the first two rows. */
function spread ({ data, shape }: TensorValue): number {
  const width = shape[1]!
  const rows = data as Float32Array
  return rows.subarray(0, width).reduce((largest, value, index) => Math.max(largest, Math.abs(value - rows[width + index]!)), 0)
}
