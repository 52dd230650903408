import t from 'tap'
import type { TextContract } from '../../src/registry/manifest.ts'
import { buildVocabulary, createTokenizer, formatVocabulary } from '../../src/text/index.ts'
import { readGolden, rowsOf } from '../support/text-golden.ts'

type Options = Extract<TextContract['tokenizer'], { kind: 'text-vectorization' }>
interface KerasCase {
  standardize: Options['standardize']
  split: Options['split']
  ngrams: number
  maxTokens: number | null
  length: number
  vocabulary: string[]
  ids: number[][]
}
const golden = await readGolden<{ corpus: string[], texts: string[], cases: KerasCase[] }>('keras.json')

for (const { standardize, split, ngrams, maxTokens, length, vocabulary, ids } of golden.cases) {
  const name = `${standardize}, split by ${split}, runs up to ${ngrams}`

  t.test(`numbers tokens as Keras does: ${name}`, async t => {
    const directory = t.testdir({ 'vocabulary.txt': formatVocabulary(vocabulary) })
    const tokenizer = await createTokenizer({
      tokenizer: { kind: 'text-vectorization', vocabulary: 'vocabulary.txt', standardize, split, ngrams },
      length,
      padding: 'end',
      truncation: 'end',
      inputs: { ids: 'ids' }
    }, directory)
    t.strictSame(rowsOf(await tokenizer.encode(golden.texts), 'ids'), ids)
  })

  t.test(`learns the vocabulary that Keras learns: ${name}`, async t => {
    t.strictSame(buildVocabulary(golden.corpus, { standardize, split, ngrams, ...(maxTokens === null ? {} : { maxTokens }) }), vocabulary)
  })
}

t.test('breaks a tie as Keras does between characters that JavaScript orders otherwise', async t => {
  const words = ['\u{1F600}', '\uFFFD', '\uE000', 'é', 'z', 'zz']
  t.strictSame(buildVocabulary([words.join(' ')], { standardize: 'none', split: 'whitespace' }), words.toSorted((a, b) => Buffer.compare(Buffer.from(b), Buffer.from(a))))
})

t.test('leaves tokens with a line break out of a vocabulary, as its file can not hold them', async t => {
  t.strictSame(buildVocabulary(['a\n\na'], { standardize: 'none', split: 'character' }), ['a'])
})
