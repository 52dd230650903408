import { randomBytes } from 'node:crypto'
import t from 'tap'
import { decodeBase64 } from '../../../src/prediction/tensor-json/base64.ts'

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
