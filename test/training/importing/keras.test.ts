import { execFile } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { loadLibrary, type TensorValue } from '../../../src/tensorflow/index.ts'
import { fromLayers } from '../../../src/training/importing/imported-model.ts'
import { importModel } from '../../../src/training/importing/import-model.ts'
import { closePredictor, predict } from '../../../src/training/predictor.ts'

loadLibrary()

/** float32 on both sides, another order of sums. */
const TOLERANCE = 1e-5

const MODELS = ['pictures', 'convolutions', 'sequences', 'words', 'masking', 'ends', 'volumes']
const REFUSED: Readonly<Record<string, RegExp>> = {
  groups: /layer "conv2d\S*" of class Conv2D can not be imported: its option groups is 2, which tf\.layers does not have/,
  hard_sigmoid: /layer ".*dense\S*" can not be imported: its activation hard_sigmoid, which is x\/6 \+ 0\.5 in Keras 3/,
  keepdims: /its option keepdims is true/,
  attention: /MultiHeadAttention|called with more than its inputs/,
  subtract: /a layer of class Subtract can not be imported: tf\.layers has none of that name/,
  masked_mean: /a layer of class GlobalAveragePooling1D .* steps that do not count/,
  bilinear: /its option interpolation is "bilinear"/,
  operation: /layer ".*multiply\S*".* can not be imported: it is (not Keras's own, but of keras\.src\.ops\.numpy|called with more than its inputs)/,
  given_states: /layer ".*gru\S*" can not be imported: it is called with more than its inputs: initial_state/
}

interface Answers {
  readonly inputs: Readonly<Record<string, Pick<TensorValue, 'shape'> & { readonly data: number[] }>>
  readonly outputs: readonly { readonly shape: number[], readonly data: number[] }[]
}

const fixtures = fileURLToPath(new URL('fixtures/', import.meta.url))

/** Imports a file and compares it with what Keras answered. */
async function compare (t: Test, path: string, answers: Answers, tolerance = TOLERANCE): Promise<void> {
  const model = await importModel(path)
  const predictor = await fromLayers(model).toPredictor({})
  const values = Object.values(answers.inputs)
  const inputs = Object.fromEntries(Object.keys(predictor.inputs).map((name, index): [string, TensorValue] => [name, { dtype: 'float32', shape: values[index]!.shape, data: Float32Array.from(values[index]!.data) }]))
  const found = Object.values(await predict(predictor, inputs))
  await closePredictor(predictor)
  t.equal(found.length, answers.outputs.length)
  answers.outputs.forEach(({ shape, data }, index) => {
    t.strictSame(found[index]!.shape, shape)
    const worst = Math.max(...data.map((value, at) => Math.abs(value - (found[index]!.data as Float32Array)[at]!)))
    t.ok(worst < tolerance, `output ${index} differs by ${worst}`)
  })
  model.dispose()
}

for (const file of ['words.keras', 'words.h5']) {
  t.test(`${file}, which Keras 3.12 saved, answers as it did there`, async t => {
    await compare(t, join(fixtures, file), JSON.parse(readFileSync(join(fixtures, 'words.json'), 'utf8')) as Answers)
  })
}

const python = process.env['TENSORPORT_PYTHON']
t.test('Keras models of all kinds answer as they did there', { skip: python === undefined ? 'TENSORPORT_PYTHON is not set' : false }, async t => {
  const folder = t.testdir()
  const script = fileURLToPath(new URL('../../support/keras-models.py', import.meta.url))
  await promisify(execFile)(python!, [script, folder, ...MODELS, 'mixed', ...Object.keys(REFUSED)])
  for (const name of MODELS) {
    const answers = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Answers
    for (const ending of ['keras', 'h5']) await t.test(`${name}.${ending}`, async t => { await compare(t, join(folder, `${name}.${ending}`), answers) })
  }
  for (const ending of ['keras', 'h5']) { // float32 here, half of that there
    await t.test(`mixed.${ending}`, async t => { await compare(t, join(folder, `mixed.${ending}`), JSON.parse(readFileSync(join(folder, 'mixed.json'), 'utf8')) as Answers, 1e-2) })
  }
  for (const [name, message] of Object.entries(REFUSED)) {
    for (const ending of ['keras', 'h5']) await t.rejects(importModel(join(folder, `${name}.${ending}`)), { code: 'IMPORT_UNSUPPORTED', message }, `${name}.${ending}`)
  }
})

t.test('a file that is cut off, or is no model, is refused', async t => {
  const folder = t.testdir()
  for (const ending of ['keras', 'h5']) {
    const whole = readFileSync(join(fixtures, `words.${ending}`))
    for (const bytes of [20, 600, whole.length >> 1, whole.length - 30]) {
      const path = join(folder, `cut-${bytes}.${ending}`)
      writeFileSync(path, whole.subarray(0, bytes))
      await t.rejects(importModel(path), { code: 'IMPORT_BAD_FILE' }, `${bytes} bytes of .${ending}`)
    }
  }
  const zip = join(folder, 'empty.keras')
  writeFileSync(zip, Buffer.concat([Buffer.from('PK\u0005\u0006'), Buffer.alloc(18)]))
  await t.rejects(importModel(zip), { code: /IMPORT_/ })
})

t.test('weights that do not fit the layers are refused', async t => {
  const folder = t.testdir()
  const path = join(folder, 'changed.h5')
  copyFileSync(join(fixtures, 'words.h5'), path)
  const bytes = readFileSync(path)
  let changes = 0
  for (let at = bytes.indexOf('"output_dim": 4'); at >= 0; at = bytes.indexOf('"output_dim": 4', at), changes++) bytes.write('"output_dim": 5', at)
  t.ok(changes > 0)
  writeFileSync(path, bytes)
  await t.rejects(importModel(path), { code: 'IMPORT_BAD_FILE', message: /is \[20, 4\], and the layer's embedding\/embeddings \[20, 5\]|more weights than it holds/ })
})
