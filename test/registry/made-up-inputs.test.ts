import t from 'tap'
import { knownShapes, madeUpInputs, takesBatches } from '../../src/registry/made-up-inputs.ts'
import type { Signature, TensorInfo } from '../../src/tensorflow/index.ts'

function signature (inputs: Record<string, Omit<TensorInfo, 'tensorName'>>): Signature {
  return { name: 'f', method: '', changesState: false, outputs: {}, inputs: Object.fromEntries(Object.entries(inputs).map(([name, info]) => [name, { ...info, tensorName: `${name}:0` }])) }
}

t.test('free dimensions become the rows and ones, fixed ones stay', async t => {
  t.strictSame(madeUpInputs(signature({ x: { dtype: 'float32', shape: [-1, 2, -1] } }), 3), { x: { dtype: 'float32', shape: [3, 2, 1], data: new Float32Array(6) } })
  t.strictSame(madeUpInputs(signature({ x: { dtype: 'bool', shape: [] } }), 3), { x: { dtype: 'bool', shape: [], data: Uint8Array.of(0) } })
})

t.test('strings are empty, an open rank is a list of rows', async t => {
  t.strictSame(madeUpInputs(signature({ x: { dtype: 'string', shape: undefined } }), 2), { x: { dtype: 'string', shape: [2], data: [new Uint8Array(0), new Uint8Array(0)] } })
})

t.test('uses what the manifest knows of the inputs', async t => {
  const image = knownShapes({ format: 1, task: 'image-classification', input: 'x', image: { width: 3, height: 2, channels: 1, fit: 'fill', kernel: 'linear', scaling: { where: 'graph' } } })
  t.strictSame(madeUpInputs(signature({ x: { dtype: 'uint8', shape: [-1, -1, -1, -1] } }), 1, image)?.['x']?.shape, [1, 2, 3, 1])
  const text = knownShapes({ format: 1, task: 'text-classification', text: { tokenizer: { kind: 'wordpiece', vocabulary: 'v', lowercase: true }, length: 16, padding: 'end', truncation: 'end', inputs: { ids: 'a', mask: 'b' } } })
  t.strictSame(text, { a: [-1, 16], b: [-1, 16] })
  t.strictSame(knownShapes({ format: 1, task: 'tensor' }), {})
})

t.test('does not make up what would not fit in memory', async t => {
  t.equal(madeUpInputs(signature({ x: { dtype: 'float32', shape: [-1, 100_000, 100_000] } }), 1), undefined)
})

t.test('a batch needs a free first dimension in every input', async t => {
  const rows: Omit<TensorInfo, 'tensorName'> = { dtype: 'float32', shape: [-1, 2] }
  t.equal(takesBatches(signature({ x: rows, y: rows })), true)
  t.equal(takesBatches(signature({ x: rows, y: { dtype: 'float32', shape: [1, 2] } })), false)
  t.equal(takesBatches(signature({ x: { dtype: 'float32', shape: undefined } })), false)
  t.equal(takesBatches(signature({ x: { dtype: 'float32', shape: [] } })), false)
  t.equal(takesBatches(signature({})), false)
})
