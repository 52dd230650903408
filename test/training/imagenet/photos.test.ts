import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createImageDecoder } from '../../../src/image/index.ts'
import { parseManifest, type Manifest } from '../../../src/registry/manifest.ts'
import { loadLibrary, loadSavedModel, type LoadedSavedModel } from '../../../src/tensorflow/index.ts'

const path = (relative: string): string => fileURLToPath(new URL(`../../../${relative}`, import.meta.url))
const version = path('models/imagenet/1')
const daisies = path('../shared/datasets/flowers5/val/daisy')
const macaque = path('../shared/images/jpeg/gen_macaque_progressive.jpg')

const missing = [version, daisies, macaque].find(place => !existsSync(place))
const decoder = createImageDecoder({ concurrency: 2, maxPixels: 50_000_000, timeoutMs: 60_000 })

t.test('the default model names what is on photos', { skip: missing === undefined ? false : `${missing} is not there` }, async t => {
  loadLibrary()
  const manifest = parseManifest('model.json', await readFile(`${version}/model.json`, 'utf8'))
  const model = await loadSavedModel(version)
  t.teardown(async () => { await model.dispose() })

  t.equal((await classify(model, manifest, macaque))?.label, 'macaque')

  const photos = await readdir(daisies)
  const labels: (string | undefined)[] = []
  for (const photo of photos) labels.push((await classify(model, manifest, `${daisies}/${photo}`))?.label)
  const right = labels.filter(label => label === 'daisy').length
  t.ok(right / photos.length >= 0.8, `${right} of ${photos.length} daisies are daisies`)
})

async function classify (model: LoadedSavedModel, { image, labels }: Manifest, photo: string): Promise<{ label: string | undefined, probability: number }> {
  const data = await decoder.decode(await readFile(photo), image!)
  const { probabilities } = await model.run('serving_default', { pixels: { dtype: 'uint8', shape: [1, 224, 224, 3], data } })
  const scores = probabilities!.data as Float32Array
  const best = scores.indexOf(Math.max(...scores))
  return { label: labels?.[best], probability: scores[best]! }
}
