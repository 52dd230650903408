import t from 'tap'
import { checkInputs, checkOutputs } from '../../src/registry/check-inputs.ts'
import type { Signature, TensorValue } from '../../src/tensorflow/index.ts'

const signature: Signature = {
  name: 'serving_default',
  method: '',
  changesState: false,
  inputs: {
    image: { tensorName: 'image:0', dtype: 'float32', shape: [-1, 2, 3] },
    names: { tensorName: 'names:0', dtype: 'string', shape: undefined }
  },
  outputs: { y: { tensorName: 'y:0', dtype: 'float32', shape: [-1] } }
}

const image = (shape: number[]): TensorValue => ({ dtype: 'float32', shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) })
const names: TensorValue = { dtype: 'string', shape: [1], data: [Buffer.from('a')] }

t.test('takes any number of rows, none included', async t => {
  for (const rows of [0, 1, 7]) t.doesNotThrow(() => { checkInputs(signature, { image: image([rows, 2, 3]), names }) })
})

t.test('says which input is missing and which there are', async t => {
  t.throws(() => { checkInputs(signature, { image: image([1, 2, 3]) }) },
    { code: 'SERVE_BAD_TENSOR', message: 'Input "names": is missing; signature "serving_default" needs: image, names' })
})

t.test('says which input is not one', async t => {
  t.throws(() => { checkInputs(signature, { image: image([1, 2, 3]), names, nmaes: names }) },
    { code: 'SERVE_BAD_TENSOR', message: 'Input "nmaes": is not an input of signature "serving_default"; it has: image, names' })
})

t.test('names that every object has are no inputs', async t => {
  t.throws(() => { checkInputs(signature, { image: image([1, 2, 3]), names, constructor: names }) }, { code: 'SERVE_BAD_TENSOR' })
  const inputs = { ...signature, inputs: JSON.parse('{"toString":{"tensorName":"x:0","dtype":"string"}}') as Signature['inputs'] }
  t.throws(() => { checkInputs(inputs, {}) }, { code: 'SERVE_BAD_TENSOR', message: /"toString": is missing/ })
})

t.test('says the type found and the type allowed', async t => {
  t.throws(() => { checkInputs(signature, { image: { dtype: 'int32', shape: [1, 2, 3], data: new Int32Array(6) }, names }) },
    { code: 'SERVE_BAD_TENSOR', message: 'Input "image": has type int32, allowed is float32' })
})

t.test('says the shape found and the shape allowed', async t => {
  for (const shape of [[1, 2, 4], [2, 3], [1, 2, 3, 1], []]) {
    t.throws(() => { checkInputs(signature, { image: image(shape), names }) },
      { code: 'SERVE_BAD_TENSOR', message: `Input "image": has shape [${shape.join(', ')}], allowed is [?, 2, 3]` })
  }
})

t.test('takes any shape where the graph computes the tensor itself, as TensorFlow Serving does', async t => {
  const computed: Signature = { ...signature, inputs: { x: { tensorName: 'ParseExample:0', dtype: 'float32', shape: [-1, 1], isComputed: true } } }
  t.doesNotThrow(() => { checkInputs(computed, { x: image([3]) }) })
  t.throws(() => { checkInputs(computed, { x: { dtype: 'float32', shape: [3], data: new Float32Array(2) } }) }, { code: 'SERVE_BAD_TENSOR' })
})

t.test('refuses sides that are no counts', async t => {
  for (const side of [-1, 1.5, NaN, Infinity]) {
    t.throws(() => { checkInputs(signature, { image: { dtype: 'float32', shape: [side, 2, 3], data: new Float32Array(6) }, names }) }, { code: 'SERVE_BAD_TENSOR', message: /which is none/ })
  }
})

t.test('refuses more or fewer values than the shape has', async t => {
  t.throws(() => { checkInputs(signature, { image: { dtype: 'float32', shape: [1, 2, 3], data: new Float32Array(5) }, names }) },
    { code: 'SERVE_BAD_TENSOR', message: 'Input "image": has 5 values, shape [1, 2, 3] needs 6' })
})

t.test('an open rank takes every shape', async t => {
  t.doesNotThrow(() => { checkInputs(signature, { image: image([1, 2, 3]), names: { dtype: 'string', shape: [1, 1, 1], data: [Buffer.from('a')] } }) })
})

t.test('outputs have to be ones that the signature gives', async t => {
  t.doesNotThrow(() => { checkOutputs(signature, ['y']) })
  t.throws(() => { checkOutputs(signature, ['y', 'z']) }, { code: 'SERVE_BAD_REQUEST', message: 'There is no output "z" in signature "serving_default"; it has: y' })
})
