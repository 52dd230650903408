import { fileURLToPath } from 'node:url'
import t from 'tap'
import { loadLibrary, loadSavedModel, type TensorValue } from '../../src/tensorflow/index.ts'
import { efficientNetLiteLayers } from '../../src/training/imagenet/efficientnet-lite-layers.ts'
import { openImageBase } from '../../src/training/image-base.ts'
import { buildPredictor, closePredictor, predict } from '../../src/training/predictor.ts'
import { seededRandom } from '../../src/training/random.ts'
import { tf } from '../../src/training/tf.ts'
import { readVariables } from '../../src/training/variable-values.ts'
import { COLOURS, writePhotos } from '../support/colour-photos.ts'
import { trainVersion } from '../support/trained-version.ts'

loadLibrary()
await tf.setBackend('cpu')
const base = await openImageBase([fileURLToPath(new URL('../../models', import.meta.url))], 'imagenet')
t.teardown(async () => { await base.model.dispose() })
const data = t.testdir()
await writePhotos(data, COLOURS, 10)

t.test('the base in tf.layers sees what the served base sees', async t => {
  const model = await efficientNetLiteLayers(base)
  const values = await Promise.all(model.weights.map(async weight => [weight, { dtype: 'float32', shape: weight.shape, data: await weight.read().data() }] as [unknown, TensorValue]))
  const predictor = await buildPredictor(model, values, { pixels: 'uint8' })
  const random = seededRandom(2)
  const pixels: TensorValue = { dtype: 'uint8', shape: [1, 224, 224, 3], data: Uint8Array.from({ length: 224 * 224 * 3 }, () => 256 * random()) }
  const expected = (await base.features(pixels)).data as Float32Array
  const found = (await predict(predictor, { pixels }))['features']!.data as Float32Array
  await closePredictor(predictor)
  t.ok(Math.max(...expected) > 0.5, 'it sees something')
  const difference = Math.max(...found.map((value, index) => Math.abs(value - expected[index]!)))
  t.ok(difference < 1e-4, `differ by ${difference}`)
})

t.test('a base that an earlier version made, which gives other features, is not trained on', async t => {
  await t.rejects(efficientNetLiteLayers({ ...base, featureCount: 1280 }), { code: 'BAD_OPTION', message: /models\/imagenet\/1 gives 1280 features, not 1792: remove it, and `npm run setup` makes it anew$/ })
})

t.test('transfer learns a head over the frozen base', async t => {
  const { manifest } = await trainVersion(t, t.testdir(), ['transfer', '--data', data, '--epochs', '10'])
  t.strictSame(manifest.labels, ['brick', 'grass', 'sky'])
  t.equal(manifest.training?.metrics['accuracy'], 1)
})

t.test('fine-tune changes the last layers of the base, and no others', async t => {
  const { directory, manifest, out } = await trainVersion(t, t.testdir(), ['fine-tune', '--data', data, '--epochs', '1', '--batch-size', '8', '--unfreeze', '2'])
  t.match(out, /^Accuracy on held-out photos: 1\.0000 with the base frozen, \d\.\d{4} fine-tuned$/m)
  t.equal(manifest.training?.metrics['accuracyFrozen'], 1)
  const tuned = await loadSavedModel(directory)
  const changed = async (name: string): Promise<boolean> => {
    const [there, here] = await Promise.all([tuned, base.model].map(async ({ graph, session }) => (await readVariables(session, [graph.existingVariable(name)]))[0]![1].data as Float32Array))
    return !Buffer.from(there!.buffer, there!.byteOffset, there!.byteLength).equals(Buffer.from(here!.buffer, here!.byteOffset, here!.byteLength))
  }
  t.strictSame(await Promise.all(['stem/kernel', 'block7/project/kernel', 'block15/expand/kernel', 'block15/project/kernel', 'head/kernel', 'head/bias'].map(changed)), [false, false, false, true, true, true])
  await tuned.dispose()
})
