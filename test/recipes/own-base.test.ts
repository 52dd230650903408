import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary, loadSavedModel } from '../../src/tensorflow/index.ts'
import { importBase } from '../../src/training/importing/import-base.ts'
import { withSeed } from '../../src/training/random.ts'
import { tf as tfjs } from '../../src/training/tf.ts'
import { readVariables } from '../../src/training/variable-values.ts'
import { COLOURS, writePhotos } from '../support/colour-photos.ts'
import { runRecipe } from '../support/run-recipe.ts'
import { saveLayersModel } from '../support/saved-layers-model.ts'
import { trainVersion } from '../support/trained-version.ts'

loadLibrary()
const { layers } = tfjs
const data = t.testdir({ base: {} })
await writePhotos(join(data, 'photos'), COLOURS, 10)

/** A small network that somebody trained on something else. */
const someNetwork = (top: readonly tf.layers.Layer[]): tf.LayersModel => withSeed(6, () => tfjs.sequential({
  layers: [
    layers.conv2d({ filters: 6, kernelSize: 3, strides: 2, activation: 'relu', inputShape: [16, 20, 3], name: 'first' }),
    layers.batchNormalization({ name: 'norm' }),
    layers.conv2d({ filters: 8, kernelSize: 3, activation: 'relu', name: 'last' }),
    ...top
  ]
}))
const base = join(data, 'base')
await saveLayersModel(base, someNetwork([layers.globalAveragePooling2d({}), layers.dropout({ rate: 0.2 }), layers.dense({ units: 4 }), layers.activation({ activation: 'softmax' })]))

t.test('features are what goes into the last dense layer, of bytes scaled as the model was trained', async t => {
  for (const [pixels, scale, offset] of [[undefined, 1 / 255, 0], ['unit', 1 / 255, 0], ['signed', 1 / 127.5, -1], ['bytes', 1, 0]] as const) {
    const imported = await importBase(base, pixels)
    t.equal(imported.base.featureCount, 8)
    t.match(imported.base.contract, { width: 20, height: 16, channels: 3 })
    const bytes = Uint8Array.from({ length: 16 * 20 * 3 }, (_, index) => index * 7 % 256)
    const { data: found } = await imported.base.features({ dtype: 'uint8', shape: [1, 16, 20, 3], data: bytes })
    const whole = someNetwork([layers.globalAveragePooling2d({})])
    const expected = tfjs.tidy(() => (whole.predict(tfjs.tensor(bytes, [1, 16, 20, 3]).toFloat().mul(scale).add(offset)) as tf.Tensor).dataSync())
    t.ok(Math.max(...expected) > 1e-3)
    t.ok(Array.from(found as Float32Array).every((value, index) => Math.abs(value - expected[index]!) < 1e-4 * Math.max(1, Math.abs(value))), String(pixels))
    await imported.base.model.dispose()
  }
})

t.test('a model without classes on top gives its pictures of features, averaged', async t => {
  const folder = t.testdir()
  await saveLayersModel(folder, someNetwork([]))
  const imported = await importBase(folder)
  t.equal(imported.base.featureCount, 8)
  await imported.base.model.dispose()
})

t.test('transfer learns a head on a base from a file', async t => {
  const { manifest, out } = await trainVersion(t, t.testdir(), ['transfer', '--data', join(data, 'photos'), '--base', base, '--epochs', '60', '--learning-rate', '0.01'])
  t.match(out, /^Base: 8 features of base, a TensorFlow\.js layers model$/m)
  t.ok(manifest.training!.metrics['accuracy']! > 0.6, out)
  t.match(manifest.training!.origin, /base: base, a TensorFlow\.js layers model/)
  t.match(manifest.image, { width: 20, height: 16, scaling: { where: 'graph' } })
})

t.test('fine-tune changes its last layers and keeps batch normalization still', async t => {
  const { directory } = await trainVersion(t, t.testdir(), ['fine-tune', '--data', join(data, 'photos'), '--base', base, '--epochs', '2', '--learning-rate', '0.01', '--unfreeze', '1'])
  const tuned = await loadSavedModel(directory)
  const names = [...tuned.graph.operations()].filter(({ type }) => type === 'VarHandleOp').map(({ name }) => name)
  const of = someNetwork([])
  const before = new Map(of.weights.map(weight => [weight.originalName, weight.read().dataSync()]))
  for (const [name, isChanged] of [['first/kernel', false], ['norm/gamma', false], ['norm/moving_mean', false], ['last/kernel', true]] as const) {
    const variable = names.find(candidate => candidate.endsWith(name))!
    const [[, { data }]] = await readVariables(tuned.session, [tuned.graph.existingVariable(variable)]) as unknown as [[unknown, { data: Float32Array }]]
    t.equal(data.some((value, index) => value !== before.get(name)![index]), isChanged, name)
  }
  await tuned.dispose()
})

t.test('a base that is none is refused', async t => {
  const folder = t.testdir()
  mkdirSync(join(folder, 'texts'))
  await saveLayersModel(join(folder, 'texts'), tfjs.sequential({ layers: [layers.dense({ units: 2, inputShape: [5] })] }))
  const run = async (options: readonly string[]): Promise<string> => (await runRecipe(['image-folder', '--data', join(data, 'photos'), '--models', join(folder, 'models'), ...options])).err
  t.match(await run(['--base', join(folder, 'texts')]), /The base .* takes \[any, 5\], not images/)
  t.match(await run(['--base', join(folder, 'nothing.keras')]), /There is no model to read/)
  t.match(await run(['--base', 'nothing']), /There is no model "nothing" to build on/)
  t.match(await run(['--base', base, '--pixels', 'many']), /--pixels takes bytes, unit, signed, not "many"/)
})
