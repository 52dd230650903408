import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import {
  floats, freezeSavedModel, loadLibrary, loadSavedModel, withUint8Input, type FrozenModel, type LoadedSavedModel, type PixelScaling, type TensorValue
} from '../../src/tensorflow/index.ts'
import { sameNumbers } from '../support/same-answers.ts'
import { writeTinyModel } from '../support/saved-models.ts'

loadLibrary()
const python = process.env['TENSORPORT_PYTHON']
const shared = fileURLToPath(new URL('../../../shared/savedmodels/', import.meta.url))

/** The model as saved and frozen, both disposed at the test's end. */
async function load (t: Test, directory: string, signatureName = 'serving_default'): Promise<{ saved: LoadedSavedModel, frozen: FrozenModel }> {
  const saved = await loadSavedModel(directory)
  t.teardown(async () => { await saved.dispose() })
  const freezing = await freezeSavedModel(saved, [signatureName])
  if (freezing.kind === 'refused') throw new Error(freezing.reason)
  t.teardown(async () => { await freezing.model.dispose() })
  return { saved, frozen: freezing.model }
}

function pixels (shape: readonly number[]): TensorValue & { data: Uint8Array } {
  const count = shape.reduce((product, side) => product * side, 1)
  return { dtype: 'uint8', shape, data: Uint8Array.from({ length: count }, (_, index) => index * 37 % 256) }
}

/** As `scalePixels` does on the host: rounded once, from float64. */
function onHost ({ shape, data }: TensorValue & { data: Uint8Array }, { mean, deviation }: PixelScaling): TensorValue {
  const of = (numbers: readonly number[], index: number): number => numbers[index % numbers.length]!
  return floats(shape, Float32Array.from(data, (pixel, index) => (pixel - of(mean, index)) / of(deviation, index)))
}

/** What comes out for pixels is what came out for floats, as saved and frozen. */
async function samePixels (t: Test, { saved, frozen }: { saved: LoadedSavedModel, frozen: FrozenModel }, scaling: PixelScaling, shape: readonly number[], others: Readonly<Record<string, TensorValue>> = {}): Promise<void> {
  const { signature, input } = scaling
  const rows = pixels(shape)
  const expected = await saved.run(signature, { ...others, [input]: onHost(rows, scaling) })
  for (const [kind, model] of [['as saved', await withUint8Input(saved, scaling)], ['frozen', await withUint8Input(frozen, scaling)]] as const) {
    t.equal(model.signatures[signature]?.inputs[input]?.dtype, 'uint8')
    const found = await model.run(signature, { ...others, [input]: rows })
    // Three operations that each round, where the host rounds once.
    for (const [name, value] of Object.entries(expected)) sameNumbers(t, value, found[name]!, 1e-6, `${kind}, ${name}`)
  }
}

/** Channels' means, and those weighed. */
async function writeChannels (directory: string): Promise<void> {
  await writeTinyModel(directory, ({ graph, variable }) => {
    const x = graph.placeholder('float32', [-1, 4, 4, 3], 'x')
    const factor = graph.placeholder('float32', [], 'factor')
    const means = graph.apply('Mean', [x, graph.ints([1, 2])])
    const y = graph.apply('Mul', [graph.apply('MatMul', [means, variable('weights', floats([3, 2], [0.5, 1, -1, 0.25, 0.1, 2]))]), factor])
    return { serving_default: { inputs: { x, factor }, outputs: { y, means } } }
  })
}

const SCALING: PixelScaling = { signature: 'serving_default', input: 'x', mean: [123.68, 116.78, 103.94], deviation: [58.4, 57.1, 57.4] }

t.test('pixels scaled in the graph give what floats scaled on the host give', async t => {
  const directory = t.testdir()
  await writeChannels(directory)
  const models = await load(t, directory)
  await samePixels(t, models, SCALING, [2, 4, 4, 3], { factor: floats([], [0.5]) })
  await t.test('each channel by the same number', async t => {
    await samePixels(t, models, { ...SCALING, mean: [127.5], deviation: [127.5] }, [1, 4, 4, 3], { factor: floats([], [2]) })
  })
})

t.test('the signature as it was stays, and nothing of it is there twice', async t => {
  const directory = t.testdir()
  await writeChannels(directory)
  const { saved } = await load(t, directory)
  const count = (type: string): number => [...saved.graph.operations()].filter(operation => operation.type === type).length
  const constants = count('Const')
  const changed = await withUint8Input(saved, SCALING)
  t.equal(count('VarHandleOp'), 1)
  t.equal(count('Const'), constants + 2, 'mean and deviation')
  t.equal(saved.signatures['serving_default']?.inputs['x']?.dtype, 'float32')
  t.equal(changed.signatures['serving_default']?.inputs['factor']?.tensorName, 'factor:0')
})

t.test('a variable that is written later is read by both', async t => {
  const directory = t.testdir()
  await writeChannels(directory)
  const { saved } = await load(t, directory)
  const changed = await withUint8Input(saved, SCALING)
  const value = saved.graph.placeholder('float32', [3, 2])
  const inputs = { x: pixels([1, 4, 4, 3]), factor: floats([], [1]) }
  await saved.session.run({ feeds: [[value, floats([3, 2], [0, 0, 0, 0, 0, 0])]], targets: [saved.graph.existingVariable('weights').assign(value)] })
  t.strictSame((await changed.run('serving_default', inputs, ['y']))['y'], floats([1, 2], [0, 0]))
})

t.test('a frozen model keeps its scaling in another session', async t => {
  const directory = t.testdir()
  await writeChannels(directory)
  const { frozen } = await load(t, directory)
  const first = await withUint8Input(frozen, SCALING)
  const second = first.withSession({ intraOpThreads: 1 })
  t.teardown(async () => { await second.dispose() })
  const inputs = { x: pixels([2, 4, 4, 3]), factor: floats([], [1]) }
  t.strictSame(await second.run('serving_default', inputs), await first.run('serving_default', inputs))
})

t.test('what it can not scale is refused', async t => {
  const directory = t.testdir()
  await writeTinyModel(directory, ({ graph, variable }) => {
    const [x, ids] = [graph.placeholder('float32', [-1, 3], 'x'), graph.placeholder('int32', [-1], 'ids')]
    return { serving_default: { inputs: { x, ids }, outputs: { y: graph.apply('Mul', [x, variable('a', floats([], [1]))]), same: graph.apply('Neg', [ids]) } } }
  })
  const { saved } = await load(t, directory)
  await t.rejects(withUint8Input(saved, { ...SCALING, signature: 'other' }), { name: 'TypeError', message: /no signature "other"/ })
  await t.rejects(withUint8Input(saved, { ...SCALING, input: 'pixels' }), { name: 'TypeError', message: /no "pixels" among: x, ids|no "pixels" among: ids, x/ })
  await t.rejects(withUint8Input(saved, { ...SCALING, input: 'ids' }), { name: 'TypeError', message: 'Expected floats for "ids" but it takes int32' })
  await t.rejects(withUint8Input(saved, { ...SCALING, mean: [1, 2] }), { name: 'RangeError', message: 'Expected one number or one for each channel but received 2' })
})

t.test('a table is shared', async t => {
  const directory = t.testdir()
  await writeTinyModel(directory, ({ graph }) => {
    const x = graph.placeholder('float32', [-1], 'x')
    const table = graph.apply('HashTableV2', [], { key_dtype: 'string', value_dtype: 'float32', shared_name: 'table' }, { name: 'table' })
    const size = graph.apply('Cast', [graph.apply('LookupTableSizeV2', [table])], { DstT: 'float32' })
    return { serving_default: { inputs: { x }, outputs: { y: graph.apply('AddV2', [x, size]) } } }
  })
  const saved = await loadSavedModel(directory)
  t.teardown(async () => { await saved.dispose() })
  const changed = await withUint8Input(saved, { ...SCALING, mean: [0], deviation: [1] })
  t.strictSame(await changed.run('serving_default', { x: pixels([2]) }), { y: floats([2], [0, 37]) })
  t.equal([...saved.graph.operations()].filter(({ type }) => type === 'HashTableV2').length, 1)
})

const foreign: Record<string, { directory: string, shape: number[], others?: Record<string, TensorValue> }> = {
  tf1_half_plus_two_multisig: { directory: 'model', shape: [3, 1] },
  tf2_half_plus_two: { directory: 'model', shape: [3] }
}

for (const [name, { directory, shape, others }] of Object.entries(foreign)) {
  t.test(`${name} gives the same for pixels`, { skip: existsSync(shared) ? false : 'no ../shared/savedmodels' }, async t => {
    await samePixels(t, await load(t, join(shared, name, directory)), { ...SCALING, mean: [127.5], deviation: [127.5] }, shape, others)
  })
}

t.test('models of Python TensorFlow give the same for pixels', { skip: python === undefined ? 'TENSORPORT_PYTHON is not set' : false }, async t => {
  const folder = join(t.testdir(), 'models')
  await mkdir(folder)
  await promisify(execFile)(python!, [fileURLToPath(new URL('../support/foreign-models.py', import.meta.url)), folder])
  for (const [name, shape] of Object.entries({ convolutions: [2, 16, 16, 3], flow: [3, 4], resources: [3, 4], references: [3, 4] })) {
    await t.test(name, async t => {
      const models = await load(t, join(folder, name))
      const [input = ''] = Object.keys(models.saved.signatures['serving_default']!.inputs)
      await samePixels(t, models, { signature: 'serving_default', input, mean: [127.5], deviation: [127.5] }, shape)
    })
  }
})
