import { randomBytes } from 'node:crypto'
import t from 'tap'
import { decodeBase64, decodeBase64InPieces } from '../../../src/prediction/tensor-json/base64.ts'

t.test('gives back any bytes, padded or not', async t => {
  for (let length = 0; length < 40; length++) {
    const bytes = randomBytes(length)
    const padded = bytes.toString('base64')
    t.strictSame(decodeBase64(padded), bytes)
    t.strictSame(decodeBase64(padded.replace(/=+$/, '')), bytes)
  }
})

t.test('refuses whatever is not base64, all of which Buffer.from would take', async t => {
  for (const text of ['a', 'abc$', 'ab c', 'YWJj\n', 'YQ=', 'YQ===', '=', 'YWJj====', 'YQ==YQ==', 'data:image/png;base64,YWJj', 'a-b_', 'é']) {
    t.equal(decodeBase64(text), undefined, JSON.stringify(text))
  }
})

t.test('a long text is decoded in pieces, and refused for a digit in any of them', async t => {
  for (const length of [49_151, 49_152, 49_153, 98_304, 200_001]) {
    const bytes = randomBytes(length)
    t.ok(decodeBase64(bytes.toString('base64'))?.equals(bytes), `${length} bytes`)
    t.ok(decodeBase64(bytes.toString('base64').replace(/=+$/, ''))?.equals(bytes), 'not padded')
  }
  const text = randomBytes(300_000).toString('base64')
  for (const at of [0, 65_535, 65_536, 200_000, text.length - 1]) t.equal(decodeBase64(`${text.slice(0, at)}-${text.slice(at + 1)}`), undefined)
  const pieces = [...decodeBase64InPieces(text)]
  t.ok(pieces.length >= text.length / 65_536 - 1, `${pieces.length} yields`)
})
