import { createHash } from 'node:crypto'
import { readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { toGoldenTensor } from '../../src/registry/golden.ts'
import { loadVersion, type LoadedVersion } from '../../src/registry/load-version.ts'
import type { Manifest } from '../../src/registry/manifest.ts'
import { floats, strings, type TensorValue } from '../../src/tensorflow/index.ts'
import { writeColourClassifier, writeHalfPlusTwo, writeTinyModel } from '../support/saved-models.ts'

const UNSTOPPED = { signal: new AbortController().signal, onWarming: () => {} }

async function load (t: Test, directory: string): Promise<LoadedVersion> {
  const loaded = await loadVersion(directory, UNSTOPPED)
  t.teardown(async () => { await loaded.dispose() })
  return loaded
}

async function halfPlusTwo (t: Test): Promise<string> {
  const directory = join(t.testdir(), 'm', '1')
  await writeHalfPlusTwo(directory)
  return directory
}

async function colours (t: Test, manifest?: Partial<Manifest> | string): Promise<string> {
  const directory = join(t.testdir(), 'm', '1')
  await writeColourClassifier(directory)
  if (manifest !== undefined) await writeFile(join(directory, 'model.json'), typeof manifest === 'string' ? manifest : JSON.stringify(manifest))
  return directory
}

const COLOUR_MANIFEST: Manifest = {
  format: 1,
  task: 'image-classification',
  labels: ['red', 'green', 'blue'],
  image: { width: 8, height: 8, channels: 3, fit: 'cover', kernel: 'linear', scaling: { where: 'graph' } }
}

t.test('a SavedModel without a manifest serves, its manifest derived', async t => {
  const loaded = await load(t, await colours(t))
  const { manifest, signatures, notes, devices } = loaded
  t.match(manifest, { task: 'image-classification', signature: 'serving_default', input: 'pixels', output: 'probabilities', image: { width: 8, height: 8 } })
  t.strictSame(Object.keys(signatures), ['serving_default'])
  t.strictSame(notes, [])
  t.ok(devices.includes('CPU:0'))
  const red: TensorValue = { dtype: 'uint8', shape: [1, 8, 8, 3], data: Uint8Array.from({ length: 192 }, (_, index) => index % 3 === 0 ? 255 : 0) }
  const { probabilities } = await loaded.run('serving_default', { pixels: red })
  t.ok(Number(probabilities!.data[0]) > 0.9)
})

t.test('a manifest in the version’s directory is taken and completed', async t => {
  const { manifest } = await load(t, await colours(t, COLOUR_MANIFEST))
  t.strictSame(manifest, { ...COLOUR_MANIFEST, signature: 'serving_default', input: 'pixels', output: 'probabilities', activation: 'none' })
})

t.test('a manifest beside the versions is taken where the version has none', async t => {
  const directory = await colours(t)
  await writeFile(join(directory, '..', 'model.json'), JSON.stringify({ ...COLOUR_MANIFEST, labels: ['r', 'g', 'b'] }))
  const { manifest } = await load(t, directory)
  t.strictSame(manifest.labels, ['r', 'g', 'b'])
})

t.test('a linked version knows its real directory and the manifest beside the link', async t => {
  const directory = await halfPlusTwo(t)
  const link = join(t.testdirName, 'linked')
  await symlink(directory, link)
  await writeFile(join(t.testdirName, 'model.json'), JSON.stringify({ format: 1, task: 'tensor', labels: ['beside the link'] }))
  const loaded = await load(t, link)
  t.equal(loaded.directory, directory)
  t.strictSame(loaded.manifest.labels, ['beside the link'])
})

t.test('says when the files are read and the runs begin', async t => {
  const directory = await halfPlusTwo(t)
  let warmings = 0
  const loaded = await loadVersion(directory, { ...UNSTOPPED, onWarming: () => { warmings += 1 } })
  await loaded.dispose()
  t.equal(warmings, 1)
})

t.test('gives up between two steps when told to stop', async t => {
  const directory = await halfPlusTwo(t)
  const stop = new AbortController()
  await t.rejects(loadVersion(directory, { signal: stop.signal, onWarming: () => { stop.abort() } }), { name: 'AbortError' })
})

const broken: Record<string, [change: (directory: string) => Promise<unknown>, reason: RegExp]> = {
  'has no saved_model.pb': [async directory => await rm(join(directory, 'saved_model.pb')), /has no saved_model\.pb/],
  'holds a saved_model.pb of other bytes': [async directory => await writeFile(join(directory, 'saved_model.pb'), 'not a protobuf at all'), /saved_model\.pb/],
  'holds an empty saved_model.pb': [async directory => await writeFile(join(directory, 'saved_model.pb'), ''), /saved_model\.pb/],
  'holds half of its saved_model.pb': [async directory => {
    const { length } = await readFile(join(directory, 'saved_model.pb'))
    await truncate(join(directory, 'saved_model.pb'), length >> 1)
  }, /broken or half-copied/],
  'has no variables': [async directory => await rm(join(directory, 'variables'), { recursive: true }), /has no values for its variables a, b: variables\/ is missing or incomplete/],
  'has no data of its variables': [async directory => await rm(join(directory, 'variables/variables.data-00000-of-00001')), /variables/],
  'has half of its variables’ data': [async directory => await truncate(join(directory, 'variables/variables.data-00000-of-00001'), 3), /can not load it: /],
  'has half of its variables’ index': [async directory => await truncate(join(directory, 'variables/variables.index'), 40), /can not load it: /]
}

for (const [what, [change, message]] of Object.entries(broken)) {
  t.test(`a version that ${what} is refused with a reason`, async t => {
    const directory = await halfPlusTwo(t)
    await change(directory)
    await t.rejects(loadVersion(directory, UNSTOPPED), { code: 'MODEL_BAD_SAVED_MODEL', message })
  })
}

t.test('a version that needs an unknown operation is refused by its name', async t => {
  const directory = await halfPlusTwo(t)
  const path = join(directory, 'saved_model.pb')
  const bytes = await readFile(path)
  bytes.write('AddV9', bytes.indexOf('AddV2'))
  await writeFile(path, bytes)
  await t.rejects(loadVersion(directory, UNSTOPPED), { code: 'MODEL_BAD_SAVED_MODEL', message: /AddV9/ })
})

t.test('a signature whose output is not in the graph is refused', async t => {
  const directory = await halfPlusTwo(t)
  const path = join(directory, 'saved_model.pb')
  const bytes = await readFile(path)
  bytes.write('q:0', bytes.lastIndexOf('y:0'))
  await writeFile(path, bytes)
  await t.rejects(loadVersion(directory, UNSTOPPED), { code: 'MODEL_BAD_SAVED_MODEL', message: /q:0/ })
})

t.test('a SavedModel without signatures is refused', async t => {
  const directory = join(t.testdir(), '1')
  await writeTinyModel(directory, ({ variable }) => { variable('a', floats([], [1])); return {} })
  await t.rejects(loadVersion(directory, UNSTOPPED), { code: 'MODEL_BAD_SAVED_MODEL', message: /has no signature that can be served/ })
})

const badManifests: Record<string, [manifest: string | Partial<Manifest>, reason: RegExp]> = {
  'is no JSON': ['{"format": 1,', /is not JSON/],
  'is garbage': [Buffer.from([0, 255, 1, 254]).toString('latin1'), /is not JSON/],
  'breaks the schema': ['{"format": 2, "task": "tensor"}', /format/],
  'has an unknown field': ['{"format": 1, "task": "tensor", "tusk": 1}', /tusk|additional|unexpected/i],
  'is larger than any manifest': [' '.repeat(5 * 1024 * 1024), /has 5242880 bytes, allowed are 4194304/],
  'names files outside of the version': [{ ...COLOUR_MANIFEST, files: { '../../secret': '0'.repeat(64) } }, /names file "\.\.\/\.\.\/secret", which is not inside/],
  'has too few labels': [{ ...COLOUR_MANIFEST, labels: ['red', 'green'] }, /has 2 labels, output "probabilities" gives 3 classes/],
  'wants other images': [{ ...COLOUR_MANIFEST, image: { ...COLOUR_MANIFEST.image!, width: 16 } }, /takes \[\?, 8, 8, 3\]/]
}

for (const [what, [manifest, message]] of Object.entries(badManifests)) {
  t.test(`a version whose manifest ${what} is refused with a reason`, async t => {
    await t.rejects(loadVersion(await colours(t, manifest), UNSTOPPED), { code: 'MODEL_BAD_MANIFEST', message })
  })
}

t.test('a text manifest has to come with its vocabulary', async t => {
  const directory = join(t.testdir(), '1')
  await writeTinyModel(directory, ({ graph }) => {
    const ids = graph.placeholder('int32', [-1, 4], 'ids')
    const sum = graph.apply('Mean', [graph.apply('Cast', [ids], { DstT: 'float32' }), graph.ints([1])], { keep_dims: true })
    return { serving_default: { inputs: { ids }, outputs: { score: graph.apply('Sigmoid', [sum]) } } }
  })
  const manifest: Manifest = {
    format: 1,
    task: 'text-classification',
    labels: ['bad', 'good'],
    text: { tokenizer: { kind: 'wordpiece', vocabulary: 'vocab.txt', lowercase: true }, length: 4, padding: 'end', truncation: 'end', inputs: { ids: 'ids' } }
  }
  await writeFile(join(directory, 'model.json'), JSON.stringify(manifest))
  await t.rejects(loadVersion(directory, UNSTOPPED), { code: 'MODEL_BAD_MANIFEST', message: /names tokenizer file "vocab\.txt", which is not in/ })
  await writeFile(join(directory, 'vocab.txt'), '[UNK]\n')
  const { manifest: completed } = await load(t, directory)
  t.match(completed, { signature: 'serving_default', output: 'score', activation: 'none' })
})

t.test('files are checked against the SHA-256 that the manifest records', async t => {
  const directory = await colours(t)
  const sha256 = async (name: string): Promise<string> => createHash('sha256').update(await readFile(join(directory, name))).digest('hex')
  const files: Record<string, string> = Object.fromEntries(await Promise.all(['saved_model.pb', 'variables/variables.index', 'variables/variables.data-00000-of-00001'].map(async name => [name, await sha256(name)] as const)))
  await writeFile(join(directory, 'model.json'), JSON.stringify({ ...COLOUR_MANIFEST, files }))
  await load(t, directory)
  await writeFile(join(directory, 'model.json'), JSON.stringify({ ...COLOUR_MANIFEST, files: { ...files, 'variables/variables.index': '0'.repeat(64) } }))
  await t.rejects(loadVersion(directory, UNSTOPPED), { code: 'MODEL_BAD_SAVED_MODEL', message: /variables\/variables\.index has SHA-256 [0-9a-f]{64}, model\.json records 0{64}/ })
  await writeFile(join(directory, 'model.json'), JSON.stringify({ ...COLOUR_MANIFEST, files: { 'assets/vocab.txt': '0'.repeat(64) } }))
  await t.rejects(loadVersion(directory, UNSTOPPED), { code: 'MODEL_BAD_SAVED_MODEL', message: /assets\/vocab\.txt, which model\.json lists, can not be read/ })
})

const golden = (y: number[], tolerance = 0): Manifest => ({
  format: 1,
  task: 'tensor',
  golden: [{ inputs: { x: toGoldenTensor(floats([2], [0, 1])) }, outputs: { y: toGoldenTensor(floats([2], y)) }, tolerance }]
})

async function withManifest (t: Test, manifest: Manifest): Promise<string> {
  const directory = await halfPlusTwo(t)
  await writeFile(join(directory, 'model.json'), JSON.stringify(manifest))
  return directory
}

t.test('recorded inputs have to give their recorded outputs', async t => {
  await load(t, await withManifest(t, golden([2, 2.5])))
  await load(t, await withManifest(t, golden([2, 2.75], 0.25)))
  await t.rejects(loadVersion(await withManifest(t, golden([2, 3], 0.25)), UNSTOPPED),
    { code: 'MODEL_GOLDEN_MISMATCH', message: /\/golden\/0: output "y" has 2\.5 at 1, recorded is 3, allowed are 0\.25 apart/ })
})

t.test('recorded inputs that the signature has not are refused', async t => {
  const manifest = golden([2, 2.5])
  manifest.golden![0]!.inputs = { z: toGoldenTensor(floats([2], [0, 1])) }
  await t.rejects(loadVersion(await withManifest(t, manifest), UNSTOPPED), { code: 'MODEL_GOLDEN_MISMATCH', message: /\/golden\/0 can not be run/ })
})

t.test('every batch size of the manifest is run before the version serves', async t => {
  const directory = join(t.testdir(), '1')
  await writeTinyModel(directory, ({ graph }) => {
    const x = graph.placeholder('float32', [-1], 'x')
    const rows = graph.apply('Shape', [x])
    const few = graph.apply('All', [graph.apply('Less', [rows, graph.ints([4])]), graph.ints([0])])
    const checked = graph.op('Assert', [few, [rows]], {})
    return { serving_default: { inputs: { x }, outputs: { y: graph.apply('Identity', [x], {}, { controlInputs: [checked] }) } } }
  })
  await writeFile(join(directory, 'model.json'), JSON.stringify({ format: 1, task: 'tensor', batchSizes: [1, 3, 8] }))
  const { notes } = await load(t, directory)
  t.equal(notes.length, 1)
  t.match(notes[0], /could not be tried with made-up inputs of 8 rows/)
})

t.test('a signature that refuses made-up inputs is noted and served', async t => {
  const directory = join(t.testdir(), '1')
  await writeTinyModel(directory, ({ graph }) => {
    const jpeg = graph.placeholder('string', [], 'jpeg')
    return { serving_default: { inputs: { jpeg }, outputs: { pixels: graph.apply('DecodeJpeg', [jpeg]) } } }
  })
  const { notes } = await load(t, directory)
  t.equal(notes.length, 1)
  t.match(notes[0], /signature "serving_default" could not be tried with made-up inputs of 1 row: /)
})

t.test('a signature that can not run whatever its input is refused', async t => {
  const directory = join(t.testdir(), '1')
  await writeTinyModel(directory, ({ graph, variable }) => {
    const x = graph.placeholder('float32', [-1], 'x')
    const read = graph.apply('ReadFile', [graph.constant(strings([], ['/nowhere/at/all']))])
    const length = graph.apply('Cast', [graph.apply('StringLength', [read])], { DstT: 'float32' })
    return { serving_default: { inputs: { x }, outputs: { y: graph.apply('Mul', [graph.apply('Mul', [x, length]), variable('a', floats([], [1]))]) } } }
  })
  await t.rejects(loadVersion(directory, UNSTOPPED), { code: 'MODEL_BAD_SAVED_MODEL', message: /signature "serving_default" can not run: .*all; No such file/ })
})

t.test('a signature that changes state is not run before it is asked for', async t => {
  const directory = join(t.testdir(), '1')
  await writeTinyModel(directory, ({ graph, variable }) => {
    variable('count', floats([], [0]))
    const counter = graph.operation('count')!.output()
    const added = graph.op('AssignAddVariableOp', [counter, graph.scalar('float32', 1)])
    const read = graph.apply('ReadVariableOp', [counter], { dtype: 'float32' }, { controlInputs: [added] })
    return { serving_default: { inputs: {}, outputs: { count: read } } }
  })
  const loaded = await load(t, directory)
  t.equal(loaded.signatures['serving_default']?.changesState, true)
  t.strictSame(Number((await loaded.run('serving_default', {}))['count']!.data[0]), 1)
})
