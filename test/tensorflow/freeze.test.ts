import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type tf from '@tensorflow/tfjs'
import t from 'tap'
import {
  floats, freezeSavedModel, Graph, hasCustomOperations, loadLibrary, loadSavedModel, type LoadedSavedModel, type Output
} from '../../src/tensorflow/index.ts'
import { buildPredictor, closePredictor, savePredictor } from '../../src/training/predictor.ts'
import { tf as tfjs } from '../../src/training/tf.ts'
import { toValue as readTensor } from '../support/compare-lowering.ts'
import { sameTensor, toValue, type JsonTensor } from '../support/json-tensors.ts'
import { freeze, load, operationTypes } from '../support/frozen-models.ts'
import { sameAnswers, sameNumbers } from '../support/same-answers.ts'
import { writeHalfPlusTwo, writeTinyModel } from '../support/saved-models.ts'

loadLibrary()
const { layers } = tfjs
const python = process.env['TENSORPORT_PYTHON']
const shared = fileURLToPath(new URL('../../../shared/savedmodels/', import.meta.url))
const sentiment = fileURLToPath(new URL('../../models/sentiment/1', import.meta.url))

async function reasonOf (loaded: LoadedSavedModel, signatureNames = Object.keys(loaded.signatures)): Promise<string | undefined> {
  const freezing = await freezeSavedModel(loaded, signatureNames)
  if (freezing.kind === 'refused') return freezing.reason
  await freezing.model.dispose()
  return undefined
}

function types (graph: Graph): Set<string> {
  return new Set([...graph.operations()].map(({ type }) => type))
}

t.test('a frozen model has no variables, answers the same and outlives the loaded one', async t => {
  const directory = t.testdir()
  await writeHalfPlusTwo(directory)
  const loaded = await loadSavedModel(directory)
  const frozen = await freeze(t, loaded)
  await loaded.dispose()
  t.notOk(types(frozen.graph).has('VarHandleOp'))
  t.strictSame(await frozen.run('serving_default', { x: floats([3], [0, 1, 10]) }), { y: floats([3], [2, 2.5, 7]) })
})

t.test('only what the signatures asked for need is kept', async t => {
  const directory = t.testdir()
  await writeTinyModel(directory, ({ graph, variable }) => {
    const x = graph.placeholder('float32', [-1], 'x')
    const unused = graph.placeholder('float32', [], 'unused')
    const product = (name: string): Output => graph.apply('Mul', [x, variable(name, floats([], [2]))], {}, { name: `${name}_x` })
    return { first: { inputs: { x, unused }, outputs: { y: product('a') } }, second: { inputs: { x }, outputs: { y: product('b') } } }
  })
  const frozen = await freeze(t, await load(t, directory), ['first'])
  t.strictSame(Object.keys(frozen.signatures), ['first'])
  t.strictSame([...frozen.graph.operations()].map(({ name }) => name).sort(), ['a', 'a/read', 'a_x', 'unused', 'x'])
  t.strictSame(await frozen.run('first', { x: floats([1], [3]), unused: floats([], [0]) }), { y: floats([1], [6]) })
})

t.test('sessions of one frozen graph are disposed one by one', async t => {
  const directory = t.testdir()
  await writeHalfPlusTwo(directory)
  const first = await freeze(t, await load(t, directory))
  const second = first.withSession({ intraOpThreads: 1 })
  await first.dispose()
  t.strictSame(await second.run('serving_default', { x: floats([1], [4]) }), { y: floats([1], [4]) })
  await second.dispose()
  await second.dispose()
})

const exports: Record<string, { shape: number[], stack: () => tf.layers.Layer[] }> = {
  'a CNN with batch normalization': { shape: [16, 16, 3], stack: () => [layers.conv2d({ filters: 8, kernelSize: 3, useBias: false }), layers.batchNormalization(), layers.activation({ activation: 'relu' }), layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }), layers.batchNormalization(), layers.flatten(), layers.dense({ units: 3, activation: 'softmax' })] },
  'an LSTM': { shape: [6, 3], stack: () => [layers.lstm({ units: 4, recurrentActivation: 'sigmoid' })] },
  'a bidirectional LSTM in a loop': { shape: [6, 3], stack: () => [layers.bidirectional({ layer: layers.lstm({ units: 4 }), mergeMode: 'concat' })] },
  'a GRU': { shape: [6, 3], stack: () => [layers.gru({ units: 4 }), layers.dense({ units: 2, activation: 'softmax' })] }
}

for (const [name, { shape, stack }] of Object.entries(exports)) {
  t.test(`${name} that was exported here answers the same frozen`, async t => {
    const directory = t.testdir()
    const model = tfjs.sequential({ layers: [layers.inputLayer({ inputShape: shape, name: 'x' }), ...stack()] })
    const values = await Promise.all(model.weights.map(async weight => [weight, await readTensor(tfjs.randomUniform(weight.shape as number[], 0.1, 0.6, 'float32', 3))] as const))
    const predictor = await buildPredictor(model, values)
    await savePredictor(directory, predictor)
    await closePredictor(predictor)
    const loaded = await load(t, directory)
    await sameAnswers(t, loaded, await freeze(t, loaded))
  })
}

t.test('the sentiment model answers the same frozen', async t => {
  const loaded = await load(t, sentiment)
  await sameAnswers(t, loaded, await freeze(t, loaded))
})

/** An LSTM of 5 units on 3 inputs, by TensorFlow's own kernel. @param outputs of it, by their number, that the signature gives */
async function writeBlockLstm (directory: string, outputs: Record<string, number>, { steps = 7, clip = 0 } = {}): Promise<void> {
  await writeTinyModel(directory, ({ graph, variable }) => {
    const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => (index * 37 % 101) / 101 - 0.5)
    const kernel = variable('kernel', floats([8, 20], numbers(160)))
    const bias = variable('bias', floats([20], numbers(20)))
    const [x, c, h] = [graph.placeholder('float32', [-1, 2, 3], 'x'), graph.placeholder('float32', [2, 5], 'c'), graph.placeholder('float32', [2, 5], 'h')]
    const unused = graph.constant(floats([5], numbers(5)))
    const lstm = graph.op('BlockLSTMV2', [graph.constant({ dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(steps)) }), x, c, h, kernel, unused, unused, unused, bias], { cell_clip: clip })
    return { serving_default: { inputs: { x, c, h }, outputs: Object.fromEntries(Object.entries(outputs).map(([name, index]) => [name, lstm.output(index)])) } }
  })
}

t.test('an LSTM of which the states are used runs in tensorport’s own operation where there is one', async t => {
  for (const steps of [7, 4, 0]) {
    const directory = t.testdir()
    await writeBlockLstm(directory, { c: 1, h: 6 }, { steps })
    const loaded = await load(t, directory)
    const frozen = await freeze(t, loaded)
    t.equal(types(frozen.graph).has('TensorportBlockLstm'), hasCustomOperations())
    const x = floats([7, 2, 3], Array.from({ length: 42 }, (_, index) => Math.sin(index)))
    const inputs = { x, c: floats([2, 5], Array.from({ length: 10 }, (_, index) => Math.cos(index))), h: floats([2, 5], Array.from({ length: 10 }, (_, index) => Math.sin(2 * index))) }
    const [expected, found] = await Promise.all([loaded.run('serving_default', inputs), frozen.run('serving_default', inputs)])
    for (const name of ['c', 'h']) sameNumbers(t, expected[name]!, found[name]!, 1e-6, `${name} after ${steps} steps of 7`)
  }
})

t.test('an LSTM of which more is used, or that clips its cells, stays TensorFlow’s', async t => {
  for (const [outputs, clip] of [[{ h: 6, gate: 0 }, 0], [{ h: 6, gate: 3 }, 0], [{ h: 6 }, 0.5]] as const) {
    const directory = t.testdir()
    await writeBlockLstm(directory, outputs, { clip })
    const loaded = await load(t, directory)
    t.ok(types((await freeze(t, loaded)).graph).has('BlockLSTMV2'))
  }
})

t.test('a handle that a loop passes on is a value in all of its bodies', async t => {
  const directory = t.testdir()
  await writeTinyModel(directory, ({ graph, variable }) => {
    variable('weights', floats([2, 2], [0.5, 1, -1, 0.25]))
    const loop = (part: 'cond' | 'body'): string => {
      const body = new Graph()
      const [count, x, handle] = [body.placeholder('int32', [], 'count'), body.placeholder('float32', [-1, 2], 'x'), body.placeholder('resource', [], 'handle')] as const
      const next = body.apply('AddV2', [count, body.scalar('int32', 1)])
      const read = body.apply('ReadVariableOp', [body.apply('Identity', [handle])], { dtype: 'float32' })
      const outputs = part === 'cond' ? [body.apply('Less', [count, body.scalar('int32', 3)])] : [next, body.apply('MatMul', [x, read]), body.apply('Identity', [handle])]
      const name = graph.defineFunction(part, body, [count, x, handle], outputs)
      body.dispose()
      return name
    }
    const x = graph.placeholder('float32', [-1, 2], 'x')
    const handle = graph.existingVariable('weights').handle
    const cond = loop('cond')
    const ended = graph.op('While', [[graph.scalar('int32', 0), x, handle]], { T: ['int32', 'float32', 'resource'], cond, body: loop('body'), output_shapes: [[], [-1, 2], []] })
    const after = graph.apply('ReadVariableOp', [ended.output(2)], { dtype: 'float32' })
    return { serving_default: { inputs: { x }, outputs: { y: ended.output(1), weights: after, shape: graph.apply('VariableShape', [handle]) } } }
  })
  const loaded = await load(t, directory)
  const frozen = await freeze(t, loaded)
  await sameAnswers(t, loaded, frozen)
  t.notOk(types(frozen.graph).has('ReadVariableOp'))
})

t.test('what keeps or changes a state is refused, with the operation', async t => {
  const directory = t.testdir()
  await writeTinyModel(directory, ({ graph, variable }) => {
    const total = variable('total', floats([], [0]))
    const { handle } = graph.existingVariable('total')
    const x = graph.placeholder('float32', [], 'x')
    const add = graph.op('AssignAddVariableOp', [handle, x], { dtype: 'float32' }, { name: 'add' })
    const added = graph.apply('ReadVariableOp', [handle], { dtype: 'float32' }, { controlInputs: [add] })
    const table = graph.apply('HashTableV2', [], { key_dtype: 'string', value_dtype: 'int64', shared_name: 'table' }, { name: 'table' })
    const size = graph.apply('LookupTableSizeV2', [table])
    const isThere = graph.apply('VarIsInitializedOp', [handle], {}, { name: 'is_there' })
    return {
      read: { inputs: {}, outputs: { total } },
      add: { inputs: { x }, outputs: { total: added } },
      words: { inputs: {}, outputs: { size } },
      asked: { inputs: {}, outputs: { isThere } },
      none: { inputs: { x }, outputs: { x: graph.apply('Neg', [x]) } }
    }
  })
  const loaded = await load(t, directory)
  t.equal(await reasonOf(loaded), 'its operation "add" (AssignAddVariableOp) changes a state')
  t.equal(await reasonOf(loaded, ['words']), 'its operation "table" (HashTableV2) keeps a state')
  t.equal(await reasonOf(loaded, ['asked']), 'its operation "is_there" (VarIsInitializedOp) takes a variable')
  t.equal(await reasonOf(loaded, ['none']), 'it has no variables')
  t.equal(await reasonOf(loaded, ['read']), undefined)
  await t.rejects(freezeSavedModel(loaded, ['write']), { name: 'TypeError', message: /no signature "write"/ })
})

t.test('a model whose variables have no values is refused with TensorFlow’s reason', async t => {
  const directory = t.testdir()
  await writeHalfPlusTwo(directory)
  await rm(join(directory, 'variables'), { recursive: true })
  t.match(await reasonOf(await load(t, directory)), /uninitialized|Could not find variable|does not exist/i)
})

interface Call { signature: string, tensors: Record<string, JsonTensor> }

/** Model of ../shared/savedmodels → why it can not be frozen. */
const foreign: Record<string, RegExp | undefined> = {
  cppflow_multi_in_out: undefined,
  guesslang_string: /\(HashTableV2\) keeps a state/,
  mlnet_model_string_test: /has no variables/,
  tf1_counter_stateful: /\(Assign(Add)?\) changes a state/,
  tf1_half_plus_two_multisig: undefined,
  tf1_half_plus_two_versions: undefined,
  tf2_half_plus_two: undefined,
  tfjs_int64_multiply: undefined,
  tfjs_uint8_multiply: undefined
}

for (const [name, refusal] of Object.entries(foreign)) {
  const folder = join(shared, name)
  t.test(`${name}, ${refusal === undefined ? 'frozen, gives what Python TensorFlow gave' : 'is refused'}`, { skip: existsSync(folder) ? false : 'no ../shared/savedmodels' }, async t => {
    const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'))
    const { model_dir: directory, tolerance } = read('case.json') as { model_dir: string, tolerance: { rtol: number, atol: number } }
    const loaded = await load(t, join(folder, directory))
    if (refusal !== undefined) { t.match(await reasonOf(loaded), refusal); return }
    const frozen = await freeze(t, loaded)
    const expected = read('expected.json') as Call[]
    for (const [index, { signature, tensors }] of (read('input.json') as Call[]).entries()) {
      const outputs = await frozen.run(signature, Object.fromEntries(Object.entries(tensors).map(([key, tensor]) => [key, toValue(tensor)])))
      for (const [key, tensor] of Object.entries(expected[index]!.tensors)) sameTensor(t, outputs[key]!, tensor, tolerance, `${signature} ${key}`)
    }
  })
}

t.test('models of Python TensorFlow answer the same frozen', { skip: python === undefined ? 'TENSORPORT_PYTHON is not set' : false }, async t => {
  const folder = join(t.testdir(), 'models')
  await mkdir(folder)
  await promisify(execFile)(python!, [fileURLToPath(new URL('../support/foreign-models.py', import.meta.url)), folder])
  for (const name of ['convolutions', 'residual', 'words', 'recurrent', 'masked', 'otherwise', 'flow', 'resources', 'references']) {
    await t.test(name, async t => {
      const loaded = await load(t, join(folder, name))
      await sameAnswers(t, loaded, await freeze(t, loaded))
    })
  }
  const convolutions = await operationTypes(await freeze(t, await load(t, join(folder, 'convolutions'))))
  t.match(convolutions, { Conv2D: 1, DepthwiseConv2dNative: 1, Relu6: 1, BiasAdd: 4 }, 'the functions’ batch normalizations are in the convolutions')
  const residual = await operationTypes(await freeze(t, await load(t, join(folder, 'residual'))))
  t.match(residual, { Conv2D: 2, DepthwiseConv2dNative: 1, BiasAdd: 6 }, 'those after a bias too; two biases and the last layer’s were there')
  t.notMatch(residual, { Pad: Number }, 'the convolutions pad by themselves')
  for (const [name, lstms, loops] of [['recurrent', 5, 0], ['words', 2, 1], ['masked', 0, 1], ['otherwise', 0, 4]] as const) {
    const { While = 0, BlockLSTMV2 = 0, TensorportBlockLstm = 0 } = await operationTypes(await freeze(t, await load(t, join(folder, name))))
    t.strictSame([BlockLSTMV2 + TensorportBlockLstm, While], [lstms, loops], name)
  }
  const counter = await load(t, join(folder, 'counter'))
  t.match(await reasonOf(counter), /\(AssignAddVariableOp\) changes a state/)
  await freeze(t, counter, ['read'])
})
