import { execFile } from 'node:child_process'
import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { sameTensor, toValue, type JsonTensor } from '../support/json-tensors.ts'
import { floats, loadLibrary, loadSavedModel, readSavedModel, strings } from '../../src/tensorflow/index.ts'
import { writeColourClassifier, writeHalfPlusTwo, writeTinyModel } from '../support/saved-models.ts'

loadLibrary()
const shared = fileURLToPath(new URL('../../../shared/savedmodels/', import.meta.url))
interface Case { model_dir: string, tolerance: { rtol: number, atol: number } }
interface Call { signature: string, tensors: Record<string, JsonTensor> }
const python = process.env['TENSORPORT_PYTHON']

t.test('a written model loads again and gives the same', async t => {
  const directory = t.testdir()
  await writeHalfPlusTwo(directory)
  const model = await loadSavedModel(directory)
  t.teardown(async () => { await model.dispose() })
  t.strictSame(await model.run('serving_default', { x: floats([3], [0, 1, 10]) }), { y: floats([3], [2, 2.5, 7]) })
  t.strictSame(await model.missingVariables(), [])
})

t.test('describes signatures without loading', async t => {
  const directory = t.testdir()
  await writeColourClassifier(directory)
  const { metaGraphs } = await readSavedModel(directory)
  t.strictSame(metaGraphs, [{
    tags: ['serve'],
    signatures: {
      serving_default: {
        name: 'serving_default',
        method: 'tensorflow/serving/predict',
        inputs: { pixels: { tensorName: 'pixels:0', dtype: 'uint8', shape: [-1, 8, 8, 3] } },
        outputs: { probabilities: { tensorName: 'probabilities:0', dtype: 'float32', shape: [-1, 3] } },
        changesState: false
      }
    },
    unusable: {},
    variables: ['scale'],
    mayForgetSlopes: false
  }])
})

t.test('tells a signature that writes from one that reads', async t => {
  const directory = t.testdir()
  await writeTinyModel(directory, ({ graph, variable }) => {
    const value = variable('counter', floats([], [0]))
    const handle = graph.existingVariable('counter').handle
    const add = graph.op('AssignAddVariableOp', [handle, graph.scalar('float32', 1)], { dtype: 'float32' })
    const after = graph.apply('ReadVariableOp', [handle], { dtype: 'float32' }, { controlInputs: [add], name: 'after' })
    return { get: { inputs: {}, outputs: { value } }, increment: { inputs: {}, outputs: { value: after } } }
  })
  const { metaGraphs: [metaGraph] } = await readSavedModel(directory)
  t.equal(metaGraph!.signatures['get']!.changesState, false)
  t.equal(metaGraph!.signatures['increment']!.changesState, true)
})

t.test('writes strings and 64-bit numbers that come back whole', async t => {
  const directory = t.testdir()
  const long = 'x'.repeat(100_000)
  await writeTinyModel(directory, ({ graph }) => {
    const text = graph.placeholder('string', [-1], 'text')
    const id = graph.placeholder('int64', [-1], 'id')
    return { serving_default: { inputs: { text, id }, outputs: { text: graph.apply('Identity', [text], {}, { name: 'same' }), id: graph.apply('Neg', [id], {}, { name: 'negated' }), upper: graph.apply('StringUpper', [text], {}, { name: 'upper' }) } } }
  })
  const model = await loadSavedModel(directory)
  t.teardown(async () => { await model.dispose() })
  const texts = ['', 'short', 'a'.repeat(22), 'b'.repeat(23), long, 'ünï\0cödé']
  const outputs = await model.run('serving_default', { text: strings([6], texts), id: { dtype: 'int64', shape: [1], data: BigInt64Array.of(9007199254740993n) } })
  t.strictSame(outputs['text'], strings([6], texts))
  t.strictSame(outputs['upper']!.data[4], new TextEncoder().encode(long.toUpperCase()))
  t.strictSame(outputs['id']!.data, BigInt64Array.of(-9007199254740993n))
})

t.test('a model whose variables are missing loads, and names them', async t => {
  const directory = t.testdir()
  await writeHalfPlusTwo(directory)
  await rm(join(directory, 'variables'), { recursive: true })
  const model = await loadSavedModel(directory)
  t.teardown(async () => { await model.dispose() })
  t.strictSame(await model.missingVariables(), ['a', 'b'])
})

t.test('refuses with the reason', async t => {
  const good = t.testdir()
  await writeHalfPlusTwo(good)
  const cases: [string, (directory: string) => Promise<void>, RegExp][] = [
    ['no file', directory => rm(join(directory, 'saved_model.pb')), /has no saved_model\.pb/],
    ['text form', async directory => { await rm(join(directory, 'saved_model.pb')); await writeFile(join(directory, 'saved_model.pbtxt'), '') }, /text form/],
    ['empty file', directory => truncate(join(directory, 'saved_model.pb')), /holds no graph/],
    ['cut file', directory => truncate(join(directory, 'saved_model.pb'), 500), /broken or half-copied/],
    ['other file', directory => writeFile(join(directory, 'saved_model.pb'), '<html>not a model</html>'), /broken|no graph|schema/],
    ['cut variables', directory => truncate(join(directory, 'variables', 'variables.data-00000-of-00001'), 2), /can not load it/],
    ['unknown operation', async directory => {
      const path = join(directory, 'saved_model.pb')
      const bytes = await readFile(path, 'latin1')
      await writeFile(path, bytes.replace('AddV2', 'AddV9'), 'latin1')
    }, /operations that this TensorFlow has not: AddV9/]
  ]
  for (const [name, spoil, reason] of cases) {
    await t.test(name, async t => {
      const directory = t.testdir()
      await cp(good, directory, { recursive: true })
      await spoil(directory)
      await t.rejects(loadSavedModel(directory), { code: 'MODEL_BAD_SAVED_MODEL', message: reason })
    })
  }
})

t.test('names the tags that are there', async t => {
  const directory = t.testdir()
  await writeHalfPlusTwo(directory)
  await t.rejects(loadSavedModel(directory, { tags: ['train'] }), { message: /no graph tagged \[train\]; it has: \[serve\]/ })
})

t.test('copies assets', async t => {
  const directory = t.testdir({ 'words.txt': 'hello\n' })
  const { Graph, Session, writeSavedModel } = await import('../../src/tensorflow/index.ts')
  const graph = new Graph()
  const session = new Session(graph)
  t.teardown(async () => { await session.close(); graph.dispose() })
  await writeSavedModel(join(directory, 'model'), { graph, session, variables: [], signatures: {}, assets: { 'vocabulary.txt': join(directory, 'words.txt') } })
  t.equal(await readFile(join(directory, 'model/assets/vocabulary.txt'), 'utf8'), 'hello\n')
})

t.test('real models by others give what Python TensorFlow gave', { skip: existsSync(shared) ? false : 'no ../shared/savedmodels' }, async t => {
  for (const name of readdirSync(shared)) {
    await t.test(name, async t => {
      const read = async (file: string): Promise<unknown> => JSON.parse(await readFile(join(shared, name, file), 'utf8'))
      const { model_dir: modelDirectory, tolerance } = await read('case.json') as Case
      const model = await loadSavedModel(join(shared, name, modelDirectory))
      t.teardown(async () => { await model.dispose() })
      const expected = await read('expected.json') as Call[]
      for (const [index, { signature, tensors }] of (await read('input.json') as Call[]).entries()) {
        const inputs = Object.fromEntries(Object.entries(tensors).map(([key, tensor]) => [key, toValue(tensor)]))
        const outputs = await model.run(signature, inputs)
        for (const [key, tensor] of Object.entries(expected[index]!.tensors)) sameTensor(t, outputs[key]!, tensor, tolerance, `${signature} ${key}`)
      }
    })
  }
})

t.test('Python TensorFlow opens what was written and gives the same', { skip: python === undefined ? 'TENSORPORT_PYTHON is not set' : false }, async t => {
  const directory = t.testdir()
  await writeColourClassifier(directory)
  const model = await loadSavedModel(directory)
  t.teardown(async () => { await model.dispose() })
  const pixels = Uint8Array.from({ length: 2 * 8 * 8 * 3 }, (_, index) => index * 37 % 256)
  const { probabilities } = await model.run('serving_default', { pixels: { dtype: 'uint8', shape: [2, 8, 8, 3], data: pixels } })
  const script = `
import json, sys, numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
pixels = (np.arange(2 * 8 * 8 * 3) * 37 % 256).astype('uint8').reshape(2, 8, 8, 3)
print(json.dumps(model.signatures['serving_default'](pixels=tf.constant(pixels))['probabilities'].numpy().flatten().tolist()))`
  const { stdout } = await promisify(execFile)(python!, ['-c', script, directory], { env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' } })
  const theirs = JSON.parse(stdout) as number[]
  // The same kernels on the same numbers; only the order of additions may differ.
  theirs.forEach((value, index) => { t.ok(Math.abs(value - Number(probabilities!.data[index])) <= 1e-6) })
})
