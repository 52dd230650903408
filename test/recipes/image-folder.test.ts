import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createImageDecoder } from '../../src/image/index.ts'
import { parseManifest } from '../../src/registry/manifest.ts'
import { floats, loadSavedModel } from '../../src/tensorflow/index.ts'
import { COLOURS, writePhotos } from '../support/colour-photos.ts'
import { runRecipe } from '../support/run-recipe.ts'
import { writeTinyModel } from '../support/saved-models.ts'

const SIDE = 8

/** Something with the signatures of `imagenet`: its features are the mean red, green and blue. */
async function writeTinyBase (models: string): Promise<void> {
  const directory = join(models, 'imagenet', '3')
  await writeTinyModel(directory, ({ graph, variable }) => {
    const pixels = graph.placeholder('uint8', [-1, SIDE, SIDE, 3], 'pixels')
    const scaled = graph.apply('Mul', [graph.apply('Cast', [pixels], { DstT: 'float32' }), variable('scale', floats([], [4 / 255]))])
    const features = graph.apply('Mean', [scaled, graph.ints([1, 2])], {}, { name: 'features' })
    const probabilities = graph.apply('Softmax', [graph.apply('Mul', [features, variable('classes', floats([3], [1, 2, 3]))])], {}, { name: 'probabilities' })
    return { serving_default: { inputs: { pixels }, outputs: { probabilities } }, features: { inputs: { pixels }, outputs: { features } } }
  })
  const image = { width: SIDE, height: SIDE, channels: 3, fit: 'cover', kernel: 'linear', scaling: { where: 'graph' } }
  await writeFile(join(directory, 'model.json'), JSON.stringify({ format: 1, task: 'image-classification', labels: ['a', 'b', 'c'], image }))
}

const models = t.testdir()
await writeTinyBase(models)

t.test('a folder of photos becomes one model from pixels to its classes', async t => {
  const data = t.testdir()
  await writePhotos(data, COLOURS, 20)
  await writeFile(join(data, 'sky', 'notes.txt'), 'not a photo')
  await writeFile(join(data, 'brick', 'cut.png'), (await readFile(join(data, 'brick', '0.png'))).subarray(0, 60))
  const { code, out, err } = await runRecipe(['image-folder', '--data', data, '--models', models, '--name', 'walls', '--epochs', '40', '--learning-rate', '0.05'])
  t.equal(code, 0, err)
  t.match(out, '3 classes: brick, grass, sky\n')
  t.match(out, /Left out 1 of \d+:\n {2}.*notes\.txt: The file is text; allowed are/)
  t.match(out, /cut\.png: The image can not be decoded/)

  const directory = join(models, 'walls', '1')
  const path = join(directory, 'model.json')
  const manifest = parseManifest(path, await readFile(path, 'utf8'))
  t.strictSame(manifest.labels, ['brick', 'grass', 'sky'])
  t.match(manifest.image, { width: SIDE, height: SIDE, kernel: 'linear', scaling: { where: 'graph' } })
  t.equal(manifest.training?.metrics['accuracy'], 1)
  t.equal(manifest.golden?.[0]?.inputs['pixels']?.repeat, true)

  const model = await loadSavedModel(directory)
  t.strictSame(await model.missingVariables(), [])
  const decoder = createImageDecoder({ concurrency: 1, maxPixels: 1e6, timeoutMs: 10_000 })
  const pixels = await decoder.decode(await readFile(join(data, 'sky', '3.png')), manifest.image!)
  const { probabilities } = await model.run('serving_default', { pixels: { dtype: 'uint8', shape: [1, SIDE, SIDE, 3], data: pixels } })
  const [brick, grass, sky] = probabilities!.data as Float32Array
  t.ok(sky! > brick! && sky! > grass!, 'a photo of the sky', { brick, grass, sky })
  t.strictSame([...model.graph.operations()].filter(({ name }) => name.includes('classes')).map(({ name }) => name), [], 'the base\'s own classes stay behind')
  await model.dispose()
})

t.test('the model is called like the folder', async t => {
  const data = join(t.testdir(), '_my walls é')
  await writePhotos(data, COLOURS, 3)
  const { code, out } = await runRecipe(['image-folder', '--data', `${data}/`, '--models', models, '--epochs', '1'])
  t.equal(code, 0)
  t.match(out, /Exported .*my-walls-\/1\nHistory.*\n$/)
})

t.test('a class without a readable photo is refused by name', async t => {
  const data = t.testdir({ train: { rubbish: { 'a.jpg': 'no', 'b.jpg': 'no' } }, val: {} })
  await writePhotos(join(data, 'train'), { sky: COLOURS['sky']! }, 2)
  await writePhotos(join(data, 'val'), { sky: COLOURS['sky']!, rubbish: COLOURS['brick']! }, 1)
  const { code, err } = await runRecipe(['image-folder', '--data', data, '--models', models])
  t.equal(code, 1)
  t.equal(err, 'No photo to learn from can be read in: rubbish\n')
})

t.test('a base that is not there is named, with the remedy', async t => {
  const data = t.testdir()
  await writePhotos(data, COLOURS, 2)
  const { openImageBase } = await import('../../src/training/image-base.ts')
  const empty = join(data, 'none')
  await t.rejects(openImageBase([empty], 'imagenet'), { code: 'TRAIN_BAD_OPTION', message: `There is no model "imagenet" to build on in ${empty}: \`npm run setup\` makes it` })
})
