import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { TensorValue } from '../../src/tensorflow/index.ts'
import { readSafetensors, writeSafetensors } from '../../src/training/safetensors.ts'

t.test('tensors come back as they were, of every type, empty ones too', async t => {
  const path = join(t.testdir(), 'file')
  const tensors = new Map<string, TensorValue>([
    ['a', { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1, NaN, -Infinity, 0.1) }],
    ['b', { dtype: 'uint8', shape: [3], data: Uint8Array.of(1, 2, 255) }],
    ['c', { dtype: 'int64', shape: [], data: BigInt64Array.of(-(2n ** 63n)) }],
    ['d', { dtype: 'float32', shape: [0, 5], data: new Float32Array(0) }],
    ['e', { dtype: 'bfloat16', shape: [1], data: Uint16Array.of(0x3F80) }]
  ])
  await writeSafetensors(path, { tensors, metadata: { kind: 'test' } })
  t.strictSame(await readSafetensors(path), { tensors, metadata: { kind: 'test' } })
})

/** The bytes of the format's own example, written down by hand. */
t.test('the file is laid out as the format says', async t => {
  const path = join(t.testdir(), 'file')
  await writeSafetensors(path, { tensors: new Map([['x', { dtype: 'int8', shape: [2], data: Int8Array.of(5, -1) }]]), metadata: {} })
  const header = '{"__metadata__":{},"x":{"dtype":"I8","shape":[2],"data_offsets":[0,2]}}'
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8)
  t.strictSame(await readFile(path), Buffer.concat([Buffer.from(BigUint64Array.of(BigInt(padded.length)).buffer), Buffer.from(padded), Buffer.from([5, 255])]))
})

async function refuses (t: Test, header: string | bigint, message: RegExp): Promise<void> {
  const path = join(t.testdir(), 'file')
  const length = typeof header === 'bigint' ? header : BigInt(header.length)
  await writeFile(path, Buffer.concat([Buffer.from(BigUint64Array.of(length).buffer), Buffer.from(typeof header === 'bigint' ? '' : header), Buffer.alloc(8)]))
  await t.rejects(readSafetensors(path), { code: 'TRAIN_BAD_WEIGHTS', message })
}

const entry = (dtype: unknown, shape: unknown, offsets: unknown): string => JSON.stringify({ x: { dtype, shape, data_offsets: offsets } })

t.test('refuses a header longer than the file', async t => { await refuses(t, 2n ** 62n, /its header can not be/) })
t.test('refuses a header that is no JSON', async t => { await refuses(t, '{"x', /its header is no JSON object/) })
t.test('refuses a header that is a list', async t => { await refuses(t, '[1]', /its header is no JSON object/) })
t.test('refuses a type it does not know', async t => { await refuses(t, entry('F8_E4M3', [8], [0, 8]), /tensor "x" is of type F8_E4M3/) })
t.test('refuses a tensor beyond the end', async t => { await refuses(t, entry('F32', [4], [0, 16]), /lies from 0 to 16 of 8/) })
t.test('refuses a tensor of another size than its shape', async t => { await refuses(t, entry('F32', [2], [0, 4]), /should be 8 bytes, but lies from 0 to 4 of 8/) })
t.test('refuses a shape of less than nothing', async t => { await refuses(t, entry('F32', [-1], [0, 8]), /the shape or place of tensor "x" is broken/) })
t.test('refuses an entry that is null', async t => { await refuses(t, '{"x":null}', /tensor "x" is of type undefined/) })
