import t from 'tap'
import { correctOutputs, defaultSignature, servingSignatures } from '../../src/registry/serving-signatures.ts'
import type { Signature, TensorInfo } from '../../src/tensorflow/index.ts'

const info = (tensorName: string, shape?: number[]): TensorInfo => ({ tensorName, dtype: 'float32', shape })
const signature = (name: string, inputs: Record<string, TensorInfo>, outputs: Record<string, TensorInfo> = {}): Signature =>
  ({ name, method: '', inputs, outputs, changesState: false })

const graphOf = (shapes: Record<string, number[] | undefined>) => ({
  output: (name: string) => name in shapes ? { shape: shapes[name] } : undefined
})

t.test('hides TensorFlow’s own signatures', async t => {
  const { signatures } = servingSignatures({ f: signature('f', {}), __saved_model_train_op: signature('__saved_model_train_op', {}) }, graphOf({}))
  t.strictSame(Object.keys(signatures), ['f'])
})

t.test('takes the graph’s shape where the declared one is open', async t => {
  const { signatures, notes } = servingSignatures({ f: signature('f', { x: info('x:0') }) }, graphOf({ 'x:0': [-1, 3] }))
  t.strictSame(signatures['f']?.inputs['x']?.shape, [-1, 3])
  t.strictSame(notes, [])
})

t.test('takes the graph’s shape where the declared one contradicts it, and notes so', async t => {
  const { signatures, notes } = servingSignatures({ f: signature('f', { x: info('x:0', [-1, 784]) }) }, graphOf({ 'x:0': [-1, 28, 28] }))
  t.strictSame(signatures['f']?.inputs['x']?.shape, [-1, 28, 28])
  t.strictSame(notes, ['"x" of signature "f" is declared as [?, 784], its graph has [?, 28, 28]'])
})

t.test('keeps a declared shape that the graph leaves open', async t => {
  const { signatures } = servingSignatures({ f: signature('f', { x: info('x:0', [1, 3]), z: info('z:0', [-1]) }) }, graphOf({ 'x:0': [-1, -1], 'z:0': undefined }))
  t.strictSame(signatures['f']?.inputs['x']?.shape, [1, 3])
  t.strictSame(signatures['f']?.inputs['z']?.shape, [-1])
})

t.test('leaves what it was given unchanged', async t => {
  const declared = { f: signature('f', { x: info('x:0', [1]) }) }
  servingSignatures(declared, graphOf({ 'x:0': [2] }))
  t.strictSame(declared.f.inputs['x']?.shape, [1])
})

t.test('opens output dimensions that a run gave otherwise', async t => {
  const wrong = signature('f', {}, { y: info('y:0', [-1, 1]), z: info('z:0', [3]), right: info('r:0', [-1, 2]) })
  const value = (shape: number[]) => ({ dtype: 'float32' as const, shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) })
  const notes = correctOutputs(wrong, { y: value([1, 5]), z: value([1, 3]), right: value([1, 2]) })
  t.strictSame([wrong.outputs['y']?.shape, wrong.outputs['z']?.shape, wrong.outputs['right']?.shape], [[-1, -1], undefined, [-1, 2]])
  t.strictSame(notes, [
    '"y" of signature "f" is declared as [?, 1], a run gave [1, 5]',
    '"z" of signature "f" is declared as [3], a run gave [1, 3]'
  ])
})

t.test('the default signature is serving_default, else the only one', async t => {
  const f = signature('f', {})
  t.equal(defaultSignature({ f, serving_default: f }), 'serving_default')
  t.equal(defaultSignature({ f }), 'f')
  t.equal(defaultSignature({ f, g: f }), undefined)
  t.equal(defaultSignature({}), undefined)
})
