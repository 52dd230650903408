import t from 'tap'
import type { TextContract } from '../../src/registry/manifest.ts'
import { bucketLength, inLengthBuckets } from '../../src/text/length-buckets.ts'
import type { EncodedTexts } from '../../src/text/index.ts'

const contract: TextContract = { tokenizer: { kind: 'wordpiece', vocabulary: 'v', lowercase: true }, length: 100, padding: 'end', truncation: 'end', padTo: 'longest', inputs: { ids: 'ids' } }

/** Texts of so many tokens, numbered from 1 on, padded with 9 to the longest. */
function encode (counts: readonly number[], side: 'start' | 'end'): EncodedTexts {
  const length = Math.max(...counts)
  const [ids, mask] = [new Int32Array(counts.length * length).fill(9), new Int32Array(counts.length * length)]
  for (const [row, count] of counts.entries()) {
    const start = row * length + (side === 'start' ? length - count : 0)
    for (let index = 0; index < count; index++) [ids[start + index], mask[start + index]] = [100 * row + index + 1, 1]
  }
  const none = counts.map(() => 0)
  return { rows: counts.length, length, ids, mask, types: new Int32Array(ids.length), padding: 9, tokens: none, truncated: counts.map(() => false), unknown: none }
}

t.test('a length is the next power of two, from 16 to what the model sees', async t => {
  t.strictSame([0, 1, 16, 17, 64, 65, 100].map(tokens => bucketLength(tokens, 100)), [16, 16, 16, 32, 64, 100, 100])
  t.equal(bucketLength(3, 10), 10)
})

t.test('texts of a fixed length stay as they are', async t => {
  const encoded = encode([3, 40], 'end')
  const { padTo: _padTo, ...fixed } = contract
  t.strictSame(inLengthBuckets(encoded, fixed), [{ texts: [0, 1], encoded }])
})

t.test('a row is the same whatever came with it', async t => {
  for (const padding of ['start', 'end'] as const) {
    const counts = [3, 40, 16, 90, 17, 1]
    const together = inLengthBuckets(encode(counts, padding), { ...contract, padding })
    t.strictSame(together.flatMap(({ texts }) => [...texts]).sort(), [0, 1, 2, 3, 4, 5], 'each text is in one')
    for (const { texts, encoded } of together) {
      for (const [row, text] of texts.entries()) {
        const alone = inLengthBuckets(encode([...counts.slice(0, text).map(() => 1), counts[text]!], padding), { ...contract, padding }).find(bucket => bucket.texts.includes(text))!
        const at = alone.texts.indexOf(text)
        for (const key of ['ids', 'mask', 'types'] as const) {
          t.strictSame(encoded[key].slice(row * encoded.length, (row + 1) * encoded.length), alone.encoded[key].slice(at * encoded.length, (at + 1) * encoded.length), `${key} of text ${text}`)
        }
        t.equal(encoded.mask.slice(row * encoded.length, (row + 1) * encoded.length).reduce((sum, bit) => sum + bit, 0), counts[text])
      }
    }
  }
})
