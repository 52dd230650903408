import t from 'tap'
import { decodeTensor } from '../../../src/prediction/tensor-json/decode.ts'
import { encodeTensor, rowWriter } from '../../../src/prediction/tensor-json/encode.ts'
import { atOnce } from '../../../src/prediction/tensor-json/in-turns.ts'
import { JsonPieces } from '../../../src/prediction/tensor-json/json-pieces.ts'
import { parseJson, parseJsonExactly } from '../../../src/prediction/tensor-json/json-text.ts'
import type { NumericArray, TensorValue, ValueDType } from '../../../src/tensorflow/dtype.ts'
import { anyTensor, NUMERIC, seededIntegers } from '../../support/any-tensors.ts'

/** Values instead of bits, so that any NaN equals any other. */
function comparable ({ dtype, shape, data }: TensorValue): unknown {
  if (dtype !== 'float16' && dtype !== 'bfloat16') return { dtype, shape, data: Array.from(data as NumericArray, String) }
  const [infinity, mask] = dtype === 'float16' ? [0x7c00, 0x7fff] : [0x7f80, 0x7fff]
  return { dtype, shape, data: Array.from(data as Uint16Array, bits => (bits & mask) > infinity ? 'NaN' : String(bits)) }
}

for (const dtype of NUMERIC) {
  t.test(`any ${dtype} tensor comes back exactly from its JSON`, async t => {
    const integer = seededIntegers(dtype.length)
    for (let round = 0; round < 300; round++) {
      const tensor = anyTensor(integer, dtype)
      const text = encodeTensor(tensor, 'y')
      const parsed = parseJsonExactly(text)
      const back = comparable(decodeTensor(parsed, dtype, 'x'))
      if (JSON.stringify(back) !== JSON.stringify(comparable(tensor))) t.strictSame(back, comparable(tensor), text)
    }
    t.pass('300 tensors')
  })
}

t.test('any bytes come back exactly as strings', async t => {
  const integer = seededIntegers(7)
  for (let round = 0; round < 300; round++) {
    const data = Array.from({ length: 3 }, () => Buffer.from(Array.from({ length: integer(0, 6) }, () => integer(0, 255))))
    const tensor: TensorValue = { dtype: 'string', shape: [3], data }
    const back = decodeTensor(parseJson(encodeTensor(tensor, 'y')), 'string', 'x')
    t.strictSame((back.data as Uint8Array[]).map(bytes => Buffer.from(bytes)), data)
  }
})

function encode (dtype: ValueDType, shape: number[], data: TensorValue['data'], name = 'y'): string {
  return encodeTensor({ dtype, shape, data }, name)
}

t.test('writes floats as TensorFlow Serving does: few digits, whole ones with .0, NaN and infinities bare', async t => {
  t.equal(encode('float32', [8], Float32Array.of(0.2, 2.5, 3, -0, NaN, Infinity, -Infinity, 1e-7)), '[0.2,2.5,3.0,-0.0,NaN,Infinity,-Infinity,1e-7]')
  t.equal(encode('float64', [4], Float64Array.of(0.1 + 0.2, 1e300, 7, 2 ** 60)), '[0.30000000000000004,1e+300,7.0,1152921504606847000.0]')
  t.equal(encode('float16', [2], Uint16Array.of(0x3c00, 0x3555)), '[1.0,0.33325195]')
})

t.test('writes 64-bit integers with all digits', async t => {
  t.equal(encode('int64', [2], BigInt64Array.of(-(2n ** 63n), 9007199254740993n)), '[-9223372036854775808,9007199254740993]')
  t.equal(encode('uint64', [], BigUint64Array.of(2n ** 64n - 1n)), '18446744073709551615')
})

t.test('writes strings as text, as b64 where the name says bytes or the bytes are not UTF-8', async t => {
  const text = [Buffer.from('grüß "dich"\n')]
  t.equal(encode('string', [1], text), '["grüß \\"dich\\"\\n"]')
  t.equal(encode('string', [1], [Buffer.from('abc')], 'image_bytes'), '[{"b64":"YWJj"}]')
  t.equal(encode('string', [1], [Buffer.of(0xff, 0xfe)]), '[{"b64":"//4="}]')
})

t.test('writes scalars, empty tensors and every nesting', async t => {
  t.equal(encode('int32', [], Int32Array.of(5)), '5')
  t.equal(encode('int32', [0], new Int32Array()), '[]')
  t.equal(encode('int32', [2, 0], new Int32Array()), '[[],[]]')
  t.equal(encode('bool', [2, 1, 2], Uint8Array.of(1, 0, 0, 1)), '[[[true,false]],[[false,true]]]')
  t.equal(encode('complex64', [2], Float32Array.of(1, 2, 3, 4)), '[[1.0,2.0],[3.0,4.0]]')
})

function encodeRow (tensor: TensorValue, row: number): string {
  const text = new JsonPieces()
  atOnce(rowWriter(tensor, 'y')(row, text))
  return text.finish().pieces.join('')
}

t.test('writes rows one by one', async t => {
  t.equal(encodeRow({ dtype: 'int32', shape: [2, 2], data: Int32Array.of(1, 2, 3, 4) }, 1), '[3,4]')
  t.equal(encodeRow({ dtype: 'complex64', shape: [2], data: Float32Array.of(1, 2, 3, 4) }, 1), '[3.0,4.0]')
})

function problem (value: unknown, dtype: ValueDType | 'resource'): string {
  try {
    decodeTensor(value, dtype, 'x')
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

t.test('reads a scalar, an empty list and a list of empty lists', async t => {
  t.strictSame(decodeTensor(4, 'int32', 'x'), { dtype: 'int32', shape: [], data: Int32Array.of(4) })
  t.strictSame(decodeTensor([], 'int32', 'x'), { dtype: 'int32', shape: [0], data: new Int32Array() })
  t.strictSame(decodeTensor([[], []], 'int32', 'x'), { dtype: 'int32', shape: [2, 0], data: new Int32Array() })
})

t.test('names input, place and range of a number that does not fit', async t => {
  t.equal(problem([[1, 2], [3, 300]], 'uint8'), 'Input "x": 300 is out of the range of uint8, 0 to 255, at [1][1]')
  t.equal(problem([-129], 'int8'), 'Input "x": -129 is out of the range of int8, -128 to 127, at [0]')
  t.equal(problem(2147483648, 'int32'), 'Input "x": 2147483648 is out of the range of int32, -2147483648 to 2147483647')
  t.equal(problem([1.5], 'int16'), 'Input "x": 1.5 is not of type int16, at [0]')
  t.equal(problem([9223372036854775808n], 'int64'), 'Input "x": 9223372036854775808 is out of the range of int64, -9223372036854775808 to 9223372036854775807, at [0]')
  t.equal(problem([-1], 'uint64'), 'Input "x": -1 is out of the range of uint64, 0 to 18446744073709551615, at [0]')
  t.equal(problem([1e39], 'float32'), 'Input "x": 1e+39 is out of the range of float32, -3.4028234663852886e+38 to 3.4028234663852886e+38, at [0]')
  t.equal(problem([65520], 'float16'), 'Input "x": 65520 is out of the range of float16, -65504 to 65504, at [0]')
})

t.test('refuses values of another kind', async t => {
  t.equal(problem(['1'], 'float32'), 'Input "x": "1" is not of type float32, at [0]')
  t.equal(problem([true], 'int32'), 'Input "x": true is not of type int32, at [0]')
  t.equal(problem([1], 'bool'), 'Input "x": 1 is not of type bool, at [0]')
  t.equal(problem([null], 'float32'), 'Input "x": null is not of type float32, at [0]')
  t.equal(problem([1], 'string'), 'Input "x": 1 is not of type string, at [0]')
  t.equal(problem([{ a: 1 }], 'string'), 'Input "x": an object is not of type string, at [0]')
  t.equal(problem([{ b64: '!' }], 'string'), 'Input "x": {"b64": …} does not hold base64, at [0]')
  t.equal(problem(parseJson('[NaN]'), 'string'), 'Input "x": NaN is not of type string, at [0]')
  t.equal(problem(parseJson('[Infinity]'), 'int32'), 'Input "x": Infinity is not of type int32, at [0]')
  t.ok(problem(['x'.repeat(1000)], 'float32').length < 100, 'the message is short')
  t.equal(problem([1], 'resource'), 'Input "x": is of type resource, which can not be sent')
})

t.test('refuses ragged lists and names the place', async t => {
  t.equal(problem([[1, 2], [3]], 'float32'), 'Input "x": is ragged: the list at [1] has 1 elements, the first of its level 2')
  t.equal(problem([[[1], [2]], [[3], [4, 5]]], 'float32'), 'Input "x": is ragged: the list at [1][1] has 2 elements, the first of its level 1')
  t.equal(problem([[1], 2], 'float32'), 'Input "x": has a single value at [1] where a list of 1 is needed')
  t.equal(problem([1, [2]], 'float32'), 'Input "x": a list is not of type float32, at [1]')
})

t.test('a ragged list that pretends to be huge takes no memory', async t => {
  const row = new Array<number>(100_000).fill(0)
  const value = [row, ...Array.from({ length: 100_000 }, () => [])]
  t.match(problem(value, 'float64'), /is ragged: the list at \[1\] has 0 elements/)
})

t.test('refuses more dimensions than TensorFlow has', async t => {
  let value: unknown = 1
  for (let depth = 0; depth < 100_000; depth++) value = [value]
  t.equal(problem(value, 'float32'), 'Input "x": has more than 254 dimensions')
})

t.test('reads complex numbers as pairs and says so where they are not', async t => {
  t.strictSame(decodeTensor([[1, 2], [3, 4]], 'complex64', 'x'), { dtype: 'complex64', shape: [2], data: Float32Array.of(1, 2, 3, 4) })
  t.match(problem([1, 2, 3], 'complex64'), /a list of two, \[real, imaginary\]/)
})
