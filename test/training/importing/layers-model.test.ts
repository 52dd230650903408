import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary, loadSavedModel } from '../../../src/tensorflow/index.ts'
import { importModel } from '../../../src/training/importing/import-model.ts'
import { main } from '../../../src/training/importing/command.ts'
import { tf as tfjs } from '../../../src/training/tf.ts'
import { withSeed } from '../../../src/training/random.ts'
import { saveLayersModel } from '../../support/saved-layers-model.ts'

loadLibrary()

/** float32 on both sides, another order of sums. */
const TOLERANCE = 1e-5

const photos = (): tf.Tensor => tfjs.tidy(() => tfjs.range(0, 2 * 8 * 8 * 3).mul(37).mod(tfjs.scalar(256)).div(255).reshape([2, 8, 8, 3]))

const convolutional = (): tf.LayersModel => withSeed(3, () => {
  const { layers } = tfjs
  const input = tfjs.input({ shape: [8, 8, 3], name: 'pixels' })
  const inner = tfjs.sequential({ name: 'inner', layers: [layers.dense({ units: 5, activation: 'elu', inputShape: [4] }), layers.batchNormalization()] })
  const wide = layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(input) as tf.SymbolicTensor
  const narrow = layers.depthwiseConv2d({ kernelSize: 3, padding: 'same' }).apply(wide) as tf.SymbolicTensor
  const sum = layers.add().apply([wide, narrow]) as tf.SymbolicTensor
  const features = inner.apply(layers.globalAveragePooling2d({}).apply(sum)) as tf.SymbolicTensor
  return tfjs.model({ inputs: input, outputs: layers.dense({ units: 3, activation: 'softmax', name: 'probabilities' }).apply(features) as tf.SymbolicTensor })
})

const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number => Math.max(...Array.from(a, (value, index) => Math.abs(value - b[index]!)))

interface Printed { out: string, err: string, code: number }

async function run (argv: string[]): Promise<Printed> {
  const printed = { out: '', err: '' }
  const stream = (name: 'out' | 'err') => ({ write: (text: string) => { printed[name] += text; return true } })
  const code = await main(argv, { out: stream('out'), err: stream('err') })
  return { ...printed, code }
}

t.test('a layers model becomes a version that answers as tf.layers does', async t => {
  const directory = t.testdir({ net: {}, models: {}, 'labels.txt': 'cat\ndog\nfish\n' })
  const model = convolutional()
  await saveLayersModel(join(directory, 'net'), model)
  const { out, err, code } = await run([join(directory, 'net'), '--models', join(directory, 'models'), '--labels', join(directory, 'labels.txt')])
  t.equal(err, '')
  t.equal(code, 0)
  t.match(out, /layers model with 215 weights, for image-classification\nPixels are given as 0 to 1.*\nExported .*models.net.1/)

  const loaded = await loadSavedModel(join(directory, 'models', 'net', '1'))
  const x = photos()
  const { probabilities } = await loaded.run('serving_default', { pixels: { dtype: 'float32', shape: [2, 8, 8, 3], data: x.dataSync() as Float32Array } })
  const expected = (model.predict(x) as tf.Tensor).dataSync()
  t.ok(difference(probabilities!.data as Float32Array, expected) < TOLERANCE)
  t.strictSame(await loaded.missingVariables(), [])
  await loaded.dispose()

  const manifest = JSON.parse(readFileSync(join(directory, 'models', 'net', '1', 'model.json'), 'utf8')) as Record<string, unknown>
  t.strictSame(manifest['labels'], ['cat', 'dog', 'fish'])
  t.match(manifest['image'], { width: 8, height: 8, channels: 3, scaling: { where: 'host', mean: [0], deviation: [255] } })
  t.match(manifest['golden'], [{ inputs: { pixels: { repeat: true } }, outputs: { probabilities: { shape: [1, 3] } } }])
})

t.test('a model that rescales takes bytes', async t => {
  const directory = t.testdir({ models: {} })
  const model = tfjs.sequential({
    layers: [tfjs.layers.rescaling({ scale: 1 / 255, inputShape: [4, 4, 1] }), tfjs.layers.flatten(), tfjs.layers.dense({ units: 2, name: 'scores' })]
  })
  await saveLayersModel(directory, model)
  const { err } = await run([join(directory, 'model.json'), '--models', join(directory, 'models'), '--name', 'm', '--activation', 'softmax'])
  t.equal(err, '')
  const loaded = await loadSavedModel(join(directory, 'models', 'm', '1'))
  const [input] = Object.values(loaded.signatures['serving_default']!.inputs)
  t.equal(input!.dtype, 'uint8')
  await loaded.dispose()
})

t.test('quantized weights become floats', async t => {
  const directory = t.testdir()
  const dense = tfjs.layers.dense({ units: 2, useBias: false, inputShape: [2], name: 'scores' })
  const path = await saveLayersModel(directory, tfjs.sequential({ layers: [dense] }), {
    change: json => {
      writeFileSync(join(directory, 'bytes.bin'), Uint8Array.of(0, 85, 170, 255))
      return { ...json, weightsManifest: [{ paths: ['bytes.bin'], weights: [{ name: dense.weights[0]!.originalName, shape: [2, 2], dtype: 'float32', quantization: { dtype: 'uint8', scale: 2 / 255, min: -1 } }] }] }
    }
  })
  const model = await importModel(path)
  t.ok(difference(model.getWeights()[0]!.dataSync(), [-1, -1 / 3, 1 / 3, 1]) < 1e-6)
})

interface Hostile { name: string, change: (json: Record<string, unknown>) => unknown, code: string, message: RegExp }

const topology = (json: Record<string, unknown>): { config: { layers: Record<string, unknown>[] } } => json['modelTopology'] as never
const manifest = (json: Record<string, unknown>): { paths: string[], weights: Record<string, unknown>[] } => (json['weightsManifest'] as never[])[0]!
const edited = (edit: (json: Record<string, unknown>) => void) => (json: Record<string, unknown>) => { edit(json); return json }

const hostile: Hostile[] = [
  { name: 'a shard outside the folder', change: edited(json => { manifest(json).paths[0] = '../group1-shard1.bin' }), code: 'IMPORT_BAD_FILE', message: /leads elsewhere/ },
  { name: 'a shard by its absolute path', change: edited(json => { manifest(json).paths[0] = '/etc/passwd' }), code: 'IMPORT_BAD_FILE', message: /leads elsewhere/ },
  { name: 'a shard that is missing', change: edited(json => { manifest(json).paths[0] = 'other.bin' }), code: 'IMPORT_BAD_FILE', message: /not beside it/ },
  { name: 'weights larger than the shards', change: edited(json => { manifest(json).weights[0]!['shape'] = [1e15, 1e15] }), code: 'IMPORT_BAD_FILE', message: /its weights take 4e\+30/ },
  { name: 'no weights', change: edited(json => { delete json['weightsManifest'] }), code: 'IMPORT_BAD_FILE', message: /weightsManifest/ },
  { name: 'a billion units', change: edited(json => { (topology(json).config.layers.at(-1)!['config'] as { units: number }).units = 1e9 }), code: 'IMPORT_BAD_FILE', message: /more weights than it holds/ },
  { name: 'a layer that waits for itself', change: edited(json => { topology(json).config.layers[1]!['inbound_nodes'] = [[[topology(json).config.layers[1]!['name'], 0, 0, {}]]] }), code: 'IMPORT_BAD_FILE', message: /waits for layers that are missing/ },
  { name: 'a layer that waits for none that is there', change: edited(json => { topology(json).config.layers[1]!['inbound_nodes'] = [[['nothing', 0, 0, {}]]] }), code: 'IMPORT_BAD_FILE', message: /waits for layers that are missing/ },
  { name: 'a Lambda', change: edited(json => { topology(json).config.layers[1]!['class_name'] = 'Lambda' }), code: 'IMPORT_UNSUPPORTED', message: /class Lambda/ },
  { name: 'weights of other names', change: edited(json => { manifest(json).weights[0]!['name'] = 'other' }), code: 'IMPORT_BAD_FILE', message: /do not fit its layers/ },
  { name: 'no topology', change: () => ({}), code: 'IMPORT_BAD_FILE', message: /no modelTopology/ },
  { name: 'a list', change: () => [1], code: 'IMPORT_UNSUPPORTED', message: /no model.json/ }
]

for (const { name, change, code, message } of hostile) {
  t.test(`${name} is refused`, async t => {
    const path = await saveLayersModel(t.testdir(), convolutional(), { change })
    const started = performance.now()
    await t.rejects(importModel(path), { code, message })
    t.ok(performance.now() - started < 2000, 'at once')
  })
}

t.test('models within models without end are refused', async t => {
  const path = join(t.testdir(), 'model.json')
  const depth = 5000
  const layers = `${'{"class_name":"Sequential","config":{"layers":['.repeat(depth)}${']}}'.repeat(depth)}`
  writeFileSync(path, `{"modelTopology":${layers},"weightsManifest":[]}`)
  await t.rejects(importModel(path), { code: 'IMPORT_BAD_FILE', message: /models within models/ })
})

t.test('a path without a model is refused', async t => {
  const directory = t.testdir({ saved: { 'saved_model.pb': '' }, empty: {}, 'text.txt': 'hello' })
  await t.rejects(importModel(join(directory, 'none')), { code: 'TRAIN_BAD_OPTION' })
  await t.rejects(importModel(join(directory, 'empty')), { code: 'TRAIN_BAD_OPTION', message: /no model.json/ })
  await t.rejects(importModel(join(directory, 'saved')), { code: 'IMPORT_UNSUPPORTED', message: /SavedModel already/ })
  await t.rejects(importModel(join(directory, 'text.txt')), { code: 'IMPORT_UNSUPPORTED' })
})
