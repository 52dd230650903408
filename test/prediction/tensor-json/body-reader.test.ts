import t, { type Test } from 'tap'
import { readBodyBytes } from '../../../src/prediction/tensor-json/body-reader.ts'
import { encodeTensor } from '../../../src/prediction/tensor-json/encode.ts'
import { atOnce } from '../../../src/prediction/tensor-json/in-turns.ts'
import { readBodyValues, readPredictBody, type SignatureInputs } from '../../../src/prediction/tensor-json/predict-body.ts'
import type { DType } from '../../../src/tensorflow/dtype.ts'
import { anyTensor, NUMERIC, seededIntegers } from '../../support/any-tensors.ts'

function signature (inputs: Record<string, DType>): SignatureInputs {
  return { inputs: Object.fromEntries(Object.entries(inputs).map(([name, dtype]) => [name, { dtype }])) }
}

/** What a body becomes: tensors as plain values, or the error. */
function outcome (read: () => unknown): unknown {
  try {
    const { form, inputs } = read() as { form: string, inputs: Record<string, { dtype: string, shape: number[], data: ArrayLike<unknown> }> }
    return { form, inputs: Object.entries(inputs).map(([name, { dtype, shape, data }]) => [name, dtype, shape, data.constructor.name, Array.from(data, show)]) }
  } catch (error) {
    return { error: (error as Error).constructor.name, message: (error as Error).message }
  }
}

function show (element: unknown): string {
  if (element instanceof Uint8Array) return Buffer.from(element).toString('hex')
  return Object.is(element, -0) ? '-0' : String(element)
}

/** The same by both ways; returns whether the reader of bytes knew the body. */
function same (t: Test, text: string, inputs: Record<string, DType>): boolean {
  const body = Buffer.from(text)
  const signatureOf = () => signature(inputs)
  const readBytes = () => atOnce(readBodyBytes(body, signatureOf)) ?? atOnce(readBodyValues(body, signatureOf))
  const expected = JSON.stringify(outcome(() => atOnce(readBodyValues(body, signatureOf))))
  const found = JSON.stringify(outcome(readBytes))
  if (found !== expected) t.equal(found, expected, text.slice(0, 300))
  return atOnce(readBodyBytes(body, signatureOf)) !== undefined
}

for (const dtype of NUMERIC) {
  t.test(`any ${dtype} tensor is read from bytes as from values`, async t => {
    const integer = seededIntegers(dtype.length)
    let known = 0
    for (let round = 0; round < 200; round++) {
      const text = encodeTensor(anyTensor(integer, dtype), 'y').replaceAll(',', integer(0, 1) === 0 ? ', ' : ',')
      if (same(t, `{"inputs":${text}}`, { x: dtype })) known++
      same(t, `{"instances" : ${text}\n}`, { x: dtype })
      same(t, `{"inputs":{"x":${text}},"signature_name":"a"}`, { x: dtype })
      same(t, `{"instances":[{"x":${text},"z":[1]},{"z":[2] , "x":${text}}]}`, { x: dtype, z: 'int32' })
    }
    t.equal(known, 200)
  })
}

t.test('any number is rounded as JavaScript’s own parser does', async t => {
  const integer = seededIntegers(3)
  const digits = (most: number): string => Array.from({ length: integer(1, most) }, () => integer(0, 9)).join('')
  const spellings = [
    () => String(Number(`0.${digits(20)}`)), () => String(Math.fround(Number(digits(10)) / 1e5)), () => `${integer(1, 9)}${digits(25)}`,
    () => `${integer(0, 9)}.${digits(24)}`, () => `-0.000${digits(20)}`, () => `${integer(1, 999)}.${digits(15)}`,
    () => `${integer(0, 9)}.${digits(18)}e${integer(-330, 310)}`, () => `${integer(1, 9)}${digits(12)}E+${digits(1)}`
  ]
  for (let round = 0; round < 200; round++) {
    const numbers = Array.from({ length: 100 }, () => spellings[integer(0, spellings.length - 1)]!())
    for (const dtype of ['float64', 'float32'] as const) {
      const taken = numbers.filter(number => dtype === 'float64' || Math.abs(Number(number)) < 3.4e38)
      if (!same(t, `{"inputs":[${taken.join(',')}]}`, { x: dtype })) t.fail(taken.join())
    }
  }
})

t.test('numbers in the middle between two float32, and next to it, become the nearest', async t => {
  const integer = seededIntegers(5)
  for (let round = 0; round < 100; round++) {
    const numbers = Array.from({ length: 50 }, () => {
      const middle = (integer(2 ** 23, 2 ** 24 - 1) + 0.5) / 2 ** integer(14, 19) // 16 to 1024
      const text = middle.toFixed(20)
      return [text, text.replace(/.$/, '1'), `${text}9`, (middle - 2 ** -44).toFixed(20), `-${text}`][integer(0, 4)]!
    })
    if (!same(t, `{"inputs":[${numbers.join(',')}]}`, { x: 'float32' })) t.fail(numbers.join())
  }
})

t.test('a number that no float32 is large enough for is refused, however it is written', async t => {
  for (const number of ['340282350000000000000000000000000000000.0', '999999999999999999999999999999999999999.5', '3.4028235e38', `1${'0'.repeat(60)}.5`]) {
    for (const sign of ['', '-']) {
      t.throws(() => atOnce(readPredictBody(Buffer.from(`{"inputs":[${' '.repeat(256)}${sign}${number}]}`), () => signature({ x: 'float32' }))), /float32/)
    }
  }
})

t.test('numbers in the middle between two floats are rounded to the even one', async t => {
  const middles = ['9007199254740993', '0.5000000000000000555', '4503599627370496.5', '4503599627370497.5', '1.00000000000000011102', '900719925474099.25', '9007199254740993.0', '90071992547409.93', '9007199254.740993', '0.9007199254740993', '123456789012345678']
  t.ok(same(t, `{"inputs":[${middles.join(',')}]}`, { x: 'float64' }))
})

const KNOWN: [inputs: Record<string, DType>, body: string][] = [
  [{ x: 'string' }, '{"inputs":["grüße","","\\"\\u00e9\\ud83d\\ude00\\/\\ud800",{"b64":"//79"},{ "b64" : "YQ==" }]}'],
  [{ x: 'string' }, '{"instances":[{"b64":"YWJj"}]}'],
  [{ x: 'string', y: 'float32' }, '{"instances":[{"x":{"b64":"YWJj"},"y":[NaN,-Infinity, Infinity]}]}'],
  [{ x: 'int64' }, '{"inputs":[9007199254740993,-9223372036854775808,1e3,1.0,1e18,1234567890123456.0]}'],
  [{ x: 'uint64', f: 'float32' }, '{"inputs":{"x":18446744073709551615,"f":18446744073709551615}}'],
  [{ x: 'float32' }, '{"inputs":[1e400,-0,-0.0,1e-400,3.4028234663852886e38]}'],
  [{ x: 'float32' }, '{"inputs":[]}'],
  [{ x: 'float32' }, '{"inputs":[[],[]]}'],
  [{ x: 'float32' }, '{"instances":[[[]],[[]]]}'],
  [{ x: 'float32' }, '{"signature_name":"","inputs":5}'],
  [{ __proto__x: 'float32' }, '{"inputs":{"__proto__x":1}}']
]

t.test('reads every form from bytes', async t => {
  for (const [inputs, body] of KNOWN) t.ok(same(t, body, inputs), body)
})

const ODD: [inputs: Record<string, DType>, body: string][] = [
  ...['{', '[1]', '{}', '{"instances":[]}', '{"instances":1}', '{"instances":[1,{"x":1}]}', '{"instances":[{"x":1},2]}', '{"inputs":{"z":[1]}}', '{"inputs":{}}',
    '{"inputs":{"x":[1],"z":[1]}}', '{"inputs":["1"]}', '{"inputs":[[1],[2,3]]}', '{"inputs":[null]}', '{"inputs":[true]}', '{"inputs":[1,]}', '{"inputs":[,1]}',
    '{"inputs":[1 2]}', '{"inputs":[01]}', '{"inputs":[1.]}', '{"inputs":[.5]}', '{"inputs":[-]}', '{"inputs":[+1]}', '{"inputs":[1e]}', '{"inputs":[0x1]}', '{"inputs":[--1]}',
    '{"inputs":[NaNN]}', '{"inputs":[-NaN]}', '{"inputs":[1Infinity]}', '{"inputs":[1e39]}', '{"inputs":[1],"inputs":[2]}', '{"inputs":[1],"instances":[2]}', '{"inputs":[1]}x',
    '{"inputs":[1],}', '{"inputs":[1],"more":{"a":[null]}}', '{"inp\\u0075ts":[1]}', '\ufeff{"inputs":[1]}', '{"inputs":{"x":1,"x":2}}', '{"instances":[{"x":1},{"x":[1]}]}',
    '{"instances":[{"x":1,"x":2}]}', '{"signature_name":5,"inputs":[1]}', '{"signature_name":"a","signature_name":"b","inputs":[1]}', '{"inputs":[1,[2]]}', '{"inputs":[[1],2]}',
    '{"inputs":[[],[1]]}', '{"inputs":[[1],[]]}', '{"inputs":[[],[[]]]}', '{"inputs":[[[1]],[]]}', `{"inputs":${'['.repeat(300)}${']'.repeat(300)}}`, '{"__proto__":{"inputs":[1]}}',
    `{"inputs":${'['.repeat(254)}${']'.repeat(254)}}`, `{"instances":[{"x":${'['.repeat(254)}${']'.repeat(254)}}]}`, '{"inputs":{"b64":"YQ=="}}', '{"inputs":[1'
  ].map((body): [Record<string, DType>, string] => [{ x: 'float32' }, body]),
  ...['[1.5]', '[256]', '[-1]', '[NaN]', '[1e3]', '[1e2]', '[9999999999999999]'].map((list): [Record<string, DType>, string] => [{ x: 'uint8' }, `{"inputs":${list}}`]),
  ...['[1.5]', '[-1]', '[18446744073709551616]', '[1e30]', '[Infinity]', '["1"]'].map((list): [Record<string, DType>, string] => [{ x: 'uint64' }, `{"inputs":${list}}`]),
  ...['[1]', '[NaN]', '[tru]', '[true,1]', '[[true],[false]]', '[truetrue]'].map((list): [Record<string, DType>, string] => [{ x: 'bool' }, `{"inputs":${list}}`]),
  ...['[65520]', '[1e-9,65519.9]'].map((list): [Record<string, DType>, string] => [{ x: 'float16' }, `{"inputs":${list}}`]),
  ...['[1,2]', '[[1,2,3]]', '[]', '[[1,2],[3]]', '5'].map((list): [Record<string, DType>, string] => [{ x: 'complex64' }, `{"inputs":${list}}`]),
  ...['[1]', '["\n"]', '["\\x"]', '["\\u12"]', '["a]', '[{"b64":"!"}]', '[{"b64":1}]', '[{"b64":"YQ==","c":1}]', '[{}]', '[NaN]', '{"b64":"YQ"}'].map((list): [Record<string, DType>, string] => [{ x: 'string' }, `{"inputs":${list}}`]),
  [{ x: 'resource' }, '{"inputs":[1]}'], [{ x: 'float32', y: 'float32' }, '{"inputs":[1]}'], [{ x: 'float32', y: 'float32' }, '{"instances":[{"x":1}]}'], [{}, '{"inputs":{}}'], [{}, '{"instances":[{}]}'],
  [{ b64: 'string' }, '{"instances":[{"b64":"YQ=="}]}'], [{ b64: 'string' }, '{"inputs":{"b64":["YQ=="]}}']
]

t.test('what it does not know is answered as before, with the same words', async t => {
  for (const [inputs, body] of ODD) same(t, body, inputs)
  t.pass(`${ODD.length} bodies`)
})

t.test('a large body that is odd or wrong is answered as a small one', async t => {
  const blank = ' '.repeat(70_000)
  for (const [inputs, body] of [...KNOWN, ...ODD]) {
    const read = (text: string): { message?: string } => outcome(() => atOnce(readBodyValues(Buffer.from(text), () => signature(inputs)))) as { message?: string }
    const [small, large] = [read(body), read(body + blank)]
    if (small.message?.startsWith('The body is not JSON') === true) t.match(large, { error: 'FastifyError', message: /^The body is not JSON: / }, body)
    else t.strictSame(large, small, body)
  }
})

t.test('a signature named behind the tensors is heeded', async t => {
  const signatures: Record<string, SignatureInputs> = { '': signature({ x: 'float32' }), whole: signature({ x: 'int32' }) }
  const read = (text: string): string => atOnce(readPredictBody(Buffer.from(text), (name = '') => signatures[name]!)).inputs['x']!.dtype
  const blank = ' '.repeat(300)
  t.equal(read(`{"inputs":[1],"signature_name":"whole"}${blank}`), 'int32')
  t.equal(read(`{"inputs":[1],"signature_name":""}${blank}`), 'float32')
})

t.test('long strings and base64 are read in pieces, and cut nowhere wrong', async t => {
  const text = 'ü€😀a\n"'.repeat(40_000)
  const escaped = Array.from(text.slice(0, 100_000), unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  t.ok(same(t, `{"inputs":[${JSON.stringify(text)},"${text.slice(0, 100_000).replaceAll('\n', '').replaceAll('"', '')}"]}`, { x: 'string' }))
  t.ok(same(t, `{"inputs":["${escaped}"]}`, { x: 'string' }))
  const base64 = Buffer.from(text).toString('base64')
  t.ok(same(t, `{"inputs":[{"b64":"${base64}"},{"b64":"${base64.replaceAll('/', '\\/')}"}]}`, { x: 'string' }))
  same(t, `{"inputs":[{"b64":"${base64.slice(0, 90_000)}==${base64.slice(90_000)}"}]}`, { x: 'string' })
})

const MIB = 2 ** 20

/** A body of 20 MiB: `start`, as many of `element` as it takes with commas between them, `end`. */
function largeBody (start: string, element: string, end: string): Buffer {
  return Buffer.from(`${start}${`${element},`.repeat(20 * MIB / (element.length + 1))}${element}${end}`)
}

const LARGE: [what: string, dtype: DType, body: Buffer][] = [
  ['numbers', 'float32', largeBody('{"inputs":[', '0.6270739436149597', ']}')],
  ['64-bit integers', 'int64', largeBody('{"inputs":[', '9007199254740993', ']}')],
  ['rows of two', 'float32', largeBody('{"instances":[', '[1,2]', ']}')],
  ['rows with names', 'float32', largeBody('{"instances":[', '{"x":[1.5,2.5,3.5,4.5]}', ']}')],
  ['base64', 'string', largeBody('{"instances":[{"b64":"', 'A'.repeat(MIB), '"}]}').map(byte => byte === 0x2c ? 0x41 : byte) as Buffer],
  ['a string with escapes', 'string', largeBody('{"inputs":["', '\\u00fc€\\"', '"]}')],
  ['a wrong number at the end', 'float32', largeBody('{"inputs":[', '0.6270739436149597', ',null]}')],
  ['broken JSON at the end', 'float32', largeBody('{"inputs":[', '[0.5,0.25]', '}')]
]

for (const [what, dtype, body] of LARGE) {
  t.test(`20 MiB of ${what} let the event loop turn after each 128 KiB`, async t => {
    const inputs = signature({ x: dtype })
    const work = readPredictBody(body, () => inputs)
    let yields = 0
    try {
      while (work.next().done !== true) yields++
    } catch (error) {
      t.match(error, { statusCode: 400 })
    }
    t.ok(yields > body.byteLength / (128 * 1024), `${yields} yields`)
  })
}
