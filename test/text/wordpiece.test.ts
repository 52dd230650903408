import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createTokenizer, type Tokenizer } from '../../src/text/index.ts'
import { readGolden, rowsOf, tokensOf } from '../support/text-golden.ts'

interface Cut { length: number, truncation: 'start' | 'end', padding: 'start' | 'end', ids: number[][], mask: number[][] }
const golden = await readGolden<{ vocabulary: string[], texts: string[], cases: { lowercase: boolean, ids: number[][], cut: Cut[] }[] }>('wordpiece.json')

async function bert (directory: string, lowercase: boolean, { length, truncation, padding }: Omit<Cut, 'ids' | 'mask'>): Promise<Tokenizer> {
  return await createTokenizer({ tokenizer: { kind: 'wordpiece', vocabulary: 'vocab.txt', lowercase }, length, truncation, padding, inputs: { ids: 'ids' } }, directory)
}

for (const { lowercase, ids, cut } of golden.cases) {
  t.test(`numbers pieces as Hugging Face does, lowercase ${lowercase}`, async t => {
    const directory = t.testdir({ 'vocab.txt': golden.vocabulary.join('\n') })
    const tokenizer = await bert(directory, lowercase, { length: 256, truncation: 'end', padding: 'end' })
    t.strictSame(tokensOf(await tokenizer.encode(golden.texts)), ids)
  })

  for (const { ids, mask, ...contract } of cut) {
    t.test(`cuts and pads as Hugging Face does, lowercase ${lowercase}: ${JSON.stringify(contract)}`, async t => {
      const directory = t.testdir({ 'vocab.txt': golden.vocabulary.join('\n') })
      const encoded = await (await bert(directory, lowercase, contract)).encode(golden.texts.slice(0, ids.length))
      t.strictSame({ ids: rowsOf(encoded, 'ids'), mask: rowsOf(encoded, 'mask') }, { ids, mask })
    })
  }
}

t.test('reads a vocabulary with Windows line ends', async t => {
  const directory = t.testdir({ 'vocab.txt': golden.vocabulary.map(token => `${token}\r\n`).join('') })
  const tokenizer = await bert(directory, true, { length: 256, truncation: 'end', padding: 'end' })
  t.strictSame(tokensOf(await tokenizer.encode(golden.texts)), golden.cases.find(({ lowercase }) => lowercase)?.ids)
})

const shared = fileURLToPath(new URL('../../../shared/tokenizers/', import.meta.url))
const published = `${shared}transformersjs_bert.json`
t.test('gives the vectors published for bert-base-uncased', { skip: existsSync(published) ? false : '../shared/tokenizers is not here' }, async t => {
  const vectors = Object.values((JSON.parse(readFileSync(published, 'utf8')) as Record<string, Record<string, { text: string, text_pair?: string, ids: number[] }>>)['Xenova/bert-base-uncased'] ?? {})
  const single = vectors.filter(vector => vector.text_pair === undefined)
  const tokenizer = await createTokenizer({
    tokenizer: { kind: 'wordpiece', vocabulary: 'bert_uncased_vocab.txt', lowercase: true }, length: 512, padding: 'end', truncation: 'end', inputs: { ids: 'ids' }
  }, shared)
  t.ok(single.length > 20)
  t.strictSame(tokensOf(await tokenizer.encode(single.map(({ text }) => text))), single.map(({ ids }) => ids))
})
