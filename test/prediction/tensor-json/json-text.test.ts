import t from 'tap'
import { BadRequestError } from '../../../src/errors.ts'
import { atOnce } from '../../../src/prediction/tensor-json/in-turns.ts'
import { decodeText, decodeTextInPieces, mayHoldLargeIntegers, nonFiniteNumber, parseJson, parseJsonExactly } from '../../../src/prediction/tensor-json/json-text.ts'

t.test('reads NaN and the infinities as bare words, as TensorFlow Serving does', async t => {
  const json = parseJson('{"a": [NaN, Infinity,-Infinity, 1]}') as { a: unknown[] }
  t.strictSame(json.a.map(value => nonFiniteNumber(value) ?? value), [NaN, Infinity, -Infinity, 1])
})

t.test('leaves the same words inside strings alone', async t => {
  const json = parseJson(String.raw`{"NaN": ["NaN", "a \" NaN", "\\", NaN]}`) as Record<string, unknown[]>
  t.strictSame(json['NaN']?.slice(0, 3), ['NaN', 'a " NaN', '\\'])
  t.ok(Number.isNaN(nonFiniteNumber(json['NaN']?.[3])))
})

t.test('a string that only reads like NaN is no number', async t => {
  t.equal(nonFiniteNumber('NaN'), undefined)
})

t.test('keeps all digits of long integers where asked to, and leaves the rest as numbers', async t => {
  const json = parseJsonExactly('[9007199254740993, -9223372036854775808, 12, 0.1234567890123456, 1e3, NaN]') as unknown[]
  t.strictSame(json.slice(0, 5), [9007199254740993n, -9223372036854775808n, 12, 0.1234567890123456, 1000])
  t.ok(Number.isNaN(nonFiniteNumber(json[5])))
})

t.test('only a run of 16 digits may be an integer that float64 rounds', async t => {
  t.equal(mayHoldLargeIntegers('[9007199254740993]'), true)
  t.equal(mayHoldLargeIntegers('[900719925474099, 1.5]'), false)
})

t.test('says what is wrong with text that is not JSON, in one line of bounded length', async t => {
  for (const text of ['{"a":', '[1,]', 'NaNaN', '{"a": NaN', `${'x'.repeat(10_000)}`, '"\\u12', '{"instances":[Infinity,}']) {
    const error = t.throws(() => parseJson(text), { code: 'SERVE_BAD_REQUEST' }) as Error
    t.ok(error.message.length < 300, error.message)
    t.notMatch(error.message, /[0-9a-f]{8}-/, 'the made-up number stays inside')
  }
})

t.test('a million opening brackets are answered, not crashed on', async t => {
  const bomb = '['.repeat(1_000_000)
  t.throws(() => parseJson(bomb), BadRequestError)
  t.throws(() => parseJsonExactly(bomb), BadRequestError)
  t.throws(() => parseJson(`${bomb}NaN`), BadRequestError)
})

t.test('a megabyte of backslashes and quotes is read in linear time', async t => {
  const text = `{"a": NaN, "b": "${'\\\\\\"'.repeat(250_000)}"}`
  const startedAt = performance.now()
  t.doesNotThrow(() => parseJson(text))
  t.ok(performance.now() - startedAt < 2000, 'took under 2 s')
})

t.test('an empty body and one that is not UTF-8 are refused as such', async t => {
  t.throws(() => decodeText(new Uint8Array()), { code: 'SERVE_BAD_REQUEST', message: /empty/ })
  t.throws(() => decodeText(Uint8Array.of(0x22, 0xff, 0x22)), { code: 'SERVE_BAD_REQUEST', message: /UTF-8/ })
})

t.test('a long text is decoded in pieces, and no character is cut', async t => {
  for (const characters of ['a', 'ä', '€', '😀', 'aä€😀']) {
    for (const before of ['', 'x', 'xy', 'xyz']) {
      const text = before + characters.repeat(70_000)
      const bytes = Buffer.from(text)
      t.ok(atOnce(decodeTextInPieces(bytes)) === text, `${bytes.length} bytes of ${characters}`)
      t.equal([...decodeTextInPieces(bytes)].length, Math.ceil(bytes.length / 65_536) - 1, 'yields between the pieces')
    }
  }
  t.throws(() => atOnce(decodeTextInPieces(Buffer.from([0x61, 0xff]))), BadRequestError)
})
