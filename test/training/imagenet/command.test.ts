import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import t from 'tap'
import { completeManifest } from '../../../src/registry/complete-manifest.ts'
import { differenceFrom, fromGoldenTensor } from '../../../src/registry/golden.ts'
import { parseManifest } from '../../../src/registry/manifest.ts'
import { loadSavedModel } from '../../../src/tensorflow/index.ts'
import { run } from '../../../src/training/imagenet/command.ts'
import { randomWeights } from '../../support/efficientnet-weights.ts'
import { torchFileOf } from '../../support/torch-file.ts'

class Text extends Writable {
  text = ''

  override _write (chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

const folder = t.testdir({ 'weights.pth': torchFileOf(randomWeights(3)), 'notes.pth': 'no weights' })
const models = join(folder, 'models')
const weights = join(folder, 'weights.pth')

t.test('writes a version that loads, answers as its manifest records and names its files', async t => {
  const { code, out, err } = await call('--models', models, '--weights', weights)
  t.strictSame([code, err], [0, ''])
  t.match(out, /Read 296 tensors.*\nBuilt EfficientNet-Lite0 with 100 variables\nWrote .*imagenet\/1\n/)
  t.strictSame(await readdir(join(models, 'imagenet')), ['1'])

  const directory = join(models, 'imagenet', '1')
  const path = join(directory, 'model.json')
  const manifest = parseManifest(path, await readFile(path, 'utf8'))
  const loaded = await loadSavedModel(directory)
  t.teardown(async () => { await loaded.dispose() })
  completeManifest(path, manifest, loaded.signatures)
  t.equal(manifest.labels?.length, 1000)
  t.strictSame(Object.keys(manifest.files ?? {}), ['saved_model.pb', 'variables/variables.data-00000-of-00001', 'variables/variables.index'])
  t.strictSame(await loaded.missingVariables(), [])

  for (const { inputs, outputs, tolerance } of manifest.golden ?? []) {
    const pixels = fromGoldenTensor(path, 'input', inputs['pixels']!)
    const { probabilities } = await loaded.run('serving_default', { pixels })
    t.equal(differenceFrom(fromGoldenTensor(path, 'output', outputs['probabilities']!), probabilities!, tolerance), undefined)
  }
  t.equal(manifest.golden?.length, 2)

  const batch = { dtype: 'uint8', shape: [2, 224, 224, 3], data: new Uint8Array(2 * 224 * 224 * 3) } as const
  const { features } = await loaded.run('features', { pixels: batch })
  t.strictSame([features?.dtype, features?.shape], ['float32', [2, 1792]])
})

t.test('does nothing where the version is there and whole, weights or not', async t => {
  const { code, out } = await call('--models', models, '--weights', join(folder, 'gone.pth'))
  t.strictSame([code, out], [0, `${join(models, 'imagenet', '1')} is there already and whole\n`])
})

t.test('writes another version where one is asked for', async t => {
  const { code } = await call('--models', models, '--weights', weights, '--version', '12')
  t.equal(code, 0)
  t.strictSame((await readdir(join(models, 'imagenet'))).sort(), ['1', '12'])
})

t.test('says so where the version is there and its files changed', async t => {
  await writeFile(join(models, 'imagenet', '12', 'saved_model.pb'), 'broken')
  const { code, err } = await call('--models', models, '--weights', weights, '--version', '12')
  t.equal(code, 1)
  t.match(err, /imagenet\/12 is not as its manifest says: saved_model.pb changed or missing\. Remove the directory/)
})

t.test('leaves a version of somebody else alone', async t => {
  const others = t.testdir({ imagenet: { '001': { 'saved_model.pb': 'x' } } })
  const { code, out } = await call('--models', others, '--weights', weights)
  t.equal(code, 0)
  t.match(out, /001 is there already; it has no hashes/)
})

t.test('names the file that holds no weights and leaves nothing behind', async t => {
  const empty = t.testdir()
  const { code, err } = await call('--models', empty, '--weights', join(folder, 'notes.pth'))
  t.equal(code, 1)
  t.match(err, /notes\.pth: byte 0: opcode 0x6e/)
  t.strictSame(await readdir(empty), [])
})

const refused: [args: string[], message: RegExp][] = [
  [['--models', models, '--version', '3', '--weights', join(folder, 'gone.pth')], /^The weights can not be read: ENOENT.*gone\.pth/],
  [['--models', models], /^--models and --weights are needed\.\n\nMakes the model/],
  [['--models', models, '--weights', weights, '--version', '0'], /^--version takes a whole number from 1, not "0"/],
  [['--modles', models], /^Unknown option '--modles'/]
]
for (const [args, message] of refused) {
  t.test(`refuses ${args.filter(arg => arg.startsWith('-')).join(' ')} with the reason`, async t => {
    const { code, err } = await call(...args)
    t.equal(code, 1)
    t.match(err, message)
  })
}

t.test('explains itself', async t => {
  const { code, out } = await call('--help')
  t.equal(code, 0)
  t.match(out, /--models DIR .*\n.*--weights FILE/)
})

async function call (...args: string[]): Promise<{ code: number, out: string, err: string }> {
  const [out, err] = [new Text(), new Text()]
  const code = await run(args, out, err)
  return { code, out: out.text, err: err.text }
}
