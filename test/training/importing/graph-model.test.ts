import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary, loadSavedModel } from '../../../src/tensorflow/index.ts'
import { main } from '../../../src/training/importing/command.ts'
import { seededRandom } from '../../../src/training/random.ts'
import { tf as tfjs } from '../../../src/training/tf.ts'

loadLibrary()
await tfjs.setBackend('cpu')

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const float = { type: 'DT_FLOAT' }
const convolution = (fused: string[]) => ({
  T: float,
  strides: { list: { i: ['1', '2', '2', '1'] } },
  padding: { s: base64('SAME') },
  data_format: { s: base64('NHWC') },
  dilations: { list: { i: ['1', '1', '1', '1'] } },
  num_args: { i: '1' },
  epsilon: { f: 0 },
  fused_ops: { list: { s: fused.map(base64) } }
})

interface Node { name: string, op: string, input?: string[], attr?: Record<string, object> }

/** What a converter would write of a small network: fused operations, lists of inputs, several outputs of one node. */
const NODES: Node[] = [
  { name: 'probabilities', op: 'Softmax', input: ['logits'], attr: { T: float } },
  { name: 'pixels', op: 'Placeholder', attr: { dtype: float, shape: { shape: { dim: [{ size: '-1' }, { size: '8' }, { size: '8' }, { size: '3' }] } } } },
  { name: 'conv', op: '_FusedConv2D', input: ['pixels', 'kernel', 'bias'], attr: convolution(['BiasAdd', 'Relu6']) },
  { name: 'depthwise', op: 'FusedDepthwiseConv2dNative', input: ['conv', 'filter', 'bias'], attr: convolution(['BiasAdd', 'Elu']) },
  { name: 'prelu', op: 'Prelu', input: ['depthwise', 'alpha'], attr: { T: float } },
  { name: 'mean', op: 'Mean', input: ['prelu', 'axes'], attr: { T: float, Tidx: { type: 'DT_INT32' }, keep_dims: { b: false } } },
  { name: 'halves', op: 'Split', input: ['axis', 'mean'], attr: { T: float, num_split: { i: '2' } } },
  { name: 'turned', op: 'ConcatV2', input: ['halves:1', 'halves', 'axis'], attr: { T: float, N: { i: '2' }, Tidx: { type: 'DT_INT32' } } },
  { name: 'logits', op: '_FusedMatMul', input: ['turned', 'weights', 'offsets'], attr: { T: float, transpose_a: { b: false }, transpose_b: { b: false }, num_args: { i: '1' }, epsilon: { f: 0 }, fused_ops: { list: { s: [base64('BiasAdd')] } } } },
  ...['kernel', 'bias', 'filter', 'alpha', 'axes', 'axis', 'weights', 'offsets'].map(name => ({ name, op: 'Const', attr: { dtype: name.startsWith('ax') ? { type: 'DT_INT32' } : float } }))
]
const SHAPES: Record<string, number[]> = { kernel: [3, 3, 3, 4], bias: [4], filter: [3, 3, 4, 1], alpha: [4], weights: [4, 3], offsets: [3], axes: [2], axis: [] }
const WHOLE: Record<string, number[]> = { axes: [1, 2], axis: [1] }

const SIGNATURE = {
  inputs: { pixels: { name: 'pixels:0', dtype: 'DT_FLOAT', tensorShape: { dim: [{ size: '-1' }, { size: '8' }, { size: '8' }, { size: '3' }] } } },
  outputs: { scores: { name: 'probabilities:0', dtype: 'DT_FLOAT', tensorShape: { dim: [{ size: '-1' }, { size: '3' }] } } }
}

/** @returns what tfjs loads it from */
function save (folder: string, change: (json: { modelTopology: { node: Node[], library?: object }, signature?: object }) => void = () => {}): tf.io.IOHandler {
  mkdirSync(folder, { recursive: true })
  const random = seededRandom(8)
  const parts = Object.entries(SHAPES).map(([name, shape]) => {
    const size = shape.reduce((a, b) => a * b, 1)
    return { spec: { name, shape, dtype: name in WHOLE ? 'int32' as const : 'float32' as const }, bytes: Buffer.from((name in WHOLE ? Int32Array.from(WHOLE[name]!) : Float32Array.from({ length: size }, () => random() - 0.4)).buffer) }
  })
  const weightData = Buffer.concat(parts.map(({ bytes }) => bytes))
  const weightSpecs = parts.map(({ spec }) => spec)
  const json = { format: 'graph-model', modelTopology: { node: structuredClone(NODES), versions: {} }, signature: SIGNATURE, weightsManifest: [{ paths: ['group1-shard1of1.bin'], weights: weightSpecs }] }
  change(json)
  writeFileSync(join(folder, 'group1-shard1of1.bin'), weightData)
  writeFileSync(join(folder, 'model.json'), JSON.stringify(json))
  return tfjs.io.fromMemory({ modelTopology: json.modelTopology, weightSpecs, weightData: new Uint8Array(weightData).buffer, signature: json.signature, format: 'graph-model' })
}

async function run (argv: string[]): Promise<{ out: string, err: string, code: number }> {
  const printed = { out: '', err: '' }
  const stream = (name: 'out' | 'err') => ({ write: (text: string) => { printed[name] += text; return true } })
  const code = await main(argv, { out: stream('out'), err: stream('err') })
  return { ...printed, code }
}

t.test('a graph model becomes a version that answers as TensorFlow.js does', async t => {
  const folder = t.testdir()
  const handler = save(join(folder, 'net'))
  const { code, out, err } = await run([join(folder, 'net'), '--models', join(folder, 'models'), '--pixels', 'signed'])
  t.equal(err, '')
  t.equal(code, 0)
  t.match(out, /graph model with 170 weights, for image-classification\nExported/)
  const manifest = JSON.parse(readFileSync(join(folder, 'models', 'net', '1', 'model.json'), 'utf8')) as object
  t.match(manifest, { image: { width: 8, height: 8, channels: 3, scaling: { where: 'host', mean: [127.5], deviation: [127.5] } }, training: { origin: /model\.json, a TensorFlow\.js graph model/ } })

  const random = seededRandom(3)
  const data = Float32Array.from({ length: 2 * 192 }, () => random() * 2 - 1)
  const model = await tfjs.loadGraphModel(handler)
  const expected = (model.predict(tfjs.tensor(data, [2, 8, 8, 3])) as tf.Tensor).dataSync()
  const loaded = await loadSavedModel(join(folder, 'models', 'net', '1'))
  const { scores } = await loaded.run('serving_default', { pixels: { dtype: 'float32', shape: [2, 8, 8, 3], data } })
  await loaded.dispose()
  t.strictSame(scores!.shape, [2, 3])
  const worst = Math.max(...expected.map((value, index) => Math.abs(value - (scores!.data as Float32Array)[index]!)))
  t.ok(worst < 1e-5, `no number differs by more than ${worst}`)
})

t.test('without a signature the ends of the graph are served', async t => {
  const folder = t.testdir()
  save(join(folder, 'net'), json => { delete json.signature })
  t.equal((await run([join(folder, 'net'), '--models', join(folder, 'models')])).code, 0)
  const loaded = await loadSavedModel(join(folder, 'models', 'net', '1'))
  t.strictSame(Object.keys(loaded.signatures['serving_default']!.inputs), ['pixels'])
  t.strictSame(Object.keys(loaded.signatures['serving_default']!.outputs), ['probabilities'])
  await loaded.dispose()
})

const node = (json: { modelTopology: { node: Node[] } }, name: string): Node => json.modelTopology.node.find(candidate => candidate.name === name)!
for (const [what, change, message] of [
  ['an unknown operation', json => { node(json, 'probabilities').op = 'Sorcery' }, /node "probabilities" of type Sorcery can not be imported: TensorFlow has no such operation/],
  ['an unknown fused part', json => { node(json, 'conv').attr = convolution(['BiasAdd', 'FusedBatchNorm']) }, /its part FusedBatchNorm is not known/],
  ['functions', json => { json.modelTopology.library = { function: [{}] } }, /its graph calls functions/],
  ['a loop', json => { node(json, 'mean').input = ['logits', 'axes'] }, /is part of a loop/],
  ['an input that is not there', json => { node(json, 'mean').input = ['nothing', 'axes'] }, /its node "mean" has an input "nothing" that is not there/],
  ['a constant without a value', json => { json.modelTopology.node.push({ name: 'lost', op: 'Const' }) }, /the value of its constant "lost" is not there/],
  ['shapes that do not fit', json => { node(json, 'logits').input = ['pixels', 'weights', 'offsets'] }, /its node "logits\/MatMul" of type MatMul: /],
  ['a signature of something else', json => { json.signature = { inputs: {}, outputs: { y: { name: 'other:0' } } } }, /its signature names "other:0", which is not there/],
  ['a type that is none', json => { node(json, 'pixels').attr!['dtype'] = { type: 4711 } }, /the attribute dtype of its node "pixels" of type Placeholder is no type: TensorFlow has no type of number 4711/],
  ['an attribute of another kind', json => { node(json, 'halves').attr!['num_split'] = { i: 'many' } }, /the attribute num_split of its node "halves" of type Split is no int/],
  ['a node that is none', json => { json.modelTopology.node.push({ name: 'x' } as Node) }, /a node of its graph is no node/]
] as [string, Parameters<typeof save>[1], RegExp][]) {
  t.test(`${what} in a graph model is refused by name`, async t => {
    const folder = t.testdir()
    save(join(folder, 'net'), change)
    const { code, err } = await run([join(folder, 'net'), '--models', join(folder, 'models')])
    t.equal(code, 1)
    t.match(err, message)
    t.notMatch(err, /^\s+at /m, 'no stack')
  })
}
