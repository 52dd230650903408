import t from 'tap'
import { differenceFrom, fromGoldenTensor, toGoldenTensor } from '../../src/registry/golden.ts'
import type { TensorValue } from '../../src/tensorflow/index.ts'

const float = (...values: number[]): TensorValue => ({ dtype: 'float32', shape: [values.length], data: Float32Array.from(values) })

t.test('what is recorded is read back the same, for every type', async t => {
  const tensors: TensorValue[] = [
    float(1.5, -0, NaN, Infinity, -Infinity),
    { dtype: 'float64', shape: [], data: Float64Array.of(0.1) },
    { dtype: 'int64', shape: [2], data: BigInt64Array.of(9007199254740993n, -1n) },
    { dtype: 'uint64', shape: [1], data: BigUint64Array.of(2n ** 64n - 1n) },
    { dtype: 'uint8', shape: [2, 1], data: Uint8Array.of(0, 255) },
    { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) },
    { dtype: 'string', shape: [2], data: [Buffer.from('é'), Buffer.of(0, 255)] },
    { dtype: 'complex64', shape: [1], data: Float32Array.of(1, -2) },
    { dtype: 'float32', shape: [0, 3], data: new Float32Array(0) }
  ]
  for (const tensor of tensors) {
    const json: unknown = JSON.parse(JSON.stringify(toGoldenTensor(tensor)))
    t.strictSame(fromGoldenTensor('model.json', 'x', json as never), tensor, tensor.dtype)
  }
})

t.test('records bytes from the middle of a larger buffer', async t => {
  const data = [new Uint8Array(Buffer.from('abcdef').buffer, Buffer.from('abcdef').byteOffset, 0), Buffer.from('xyz').subarray(1, 2)]
  t.strictSame(toGoldenTensor({ dtype: 'string', shape: [2], data }).data, ['', 'eQ=='])
})

t.test('refuses a recording whose type, shape and data do not fit, and says where', async t => {
  const cases = [
    [{ dtype: 'float99', shape: [], data: [1] }, /golden\/0\/x has type "float99"/],
    [{ dtype: 'resource', shape: [], data: [1] }, /has type "resource"/],
    [{ dtype: 'float32', shape: [2], data: [1] }, /has 1 values, its shape \[2\] needs 2/],
    [{ dtype: 'float32', shape: [1], data: ['one'] }, /has "one" at 0, which is not float32/],
    [{ dtype: 'int64', shape: [1], data: ['1.5'] }, /has "1.5" at 0, which is not int64/],
    [{ dtype: 'bool', shape: [1], data: [1] }, /which is not bool/]
  ] as const
  for (const [tensor, message] of cases) {
    t.throws(() => fromGoldenTensor('m/model.json', '/golden/0/x', tensor as never), { code: 'MODEL_BAD_MANIFEST', message })
  }
})

t.test('numbers may differ by the tolerance and no more', async t => {
  t.equal(differenceFrom(float(1, 2), float(1, 2.5), 0.5), undefined)
  t.equal(differenceFrom(float(1, 2), float(1, 2.75), 0.5), 'has 2.75 at 1, recorded is 2, allowed are 0.5 apart')
})

t.test('NaN and infinities are only like themselves', async t => {
  t.equal(differenceFrom(float(NaN, Infinity), float(NaN, Infinity), 0), undefined)
  t.match(differenceFrom(float(NaN), float(1), 1e9), /recorded is NaN/)
  t.match(differenceFrom(float(1), float(NaN), 1e9), /has NaN/)
  t.match(differenceFrom(float(Infinity), float(-Infinity), 1e9), /has -Infinity/)
})

t.test('64-bit numbers are compared exactly', async t => {
  const int = (value: bigint): TensorValue => ({ dtype: 'int64', shape: [], data: BigInt64Array.of(value) })
  t.equal(differenceFrom(int(2n ** 62n), int(2n ** 62n), 0), undefined)
  t.match(differenceFrom(int(2n ** 62n), int(2n ** 62n + 1n), 0), /4611686018427387905/)
  t.equal(differenceFrom(int(2n ** 62n), int(2n ** 62n + 1n), 1), undefined)
})

t.test('strings and bools have to be the same whatever the tolerance', async t => {
  const text = (value: string): TensorValue => ({ dtype: 'string', shape: [1], data: [Buffer.from(value)] })
  t.equal(differenceFrom(text('a'), text('a'), 0), undefined)
  t.match(differenceFrom(text('a'), text('b'), 9), /another string at 0/)
  t.match(differenceFrom({ dtype: 'bool', shape: [1], data: Uint8Array.of(1) }, { dtype: 'bool', shape: [1], data: Uint8Array.of(0) }, 9), /has 0 at 0/)
})

t.test('another type or shape differs whatever the values', async t => {
  t.equal(differenceFrom(float(1), { dtype: 'float64', shape: [1], data: Float64Array.of(1) }, 9), 'has type float64, recorded is float32')
  t.equal(differenceFrom(float(1), { ...float(1), shape: [1, 1] }, 9), 'has shape [1, 1], recorded is [1]')
})
