import t, { type Test } from 'tap'
import { createTokenizer, type Tokenizer } from '../../src/text/index.ts'
import { readGolden, rowsOf, tokensOf } from '../support/text-golden.ts'

interface HuggingFaceCase { name: string, file: Record<string, unknown>, ids: number[][], cut: { length: number, ids: number[][], mask: number[][] } }
const golden = await readGolden<{ texts: string[], cases: HuggingFaceCase[] }>('hugging-face.json')

async function fromFile (t: Test, file: unknown, length: number): Promise<Tokenizer> {
  const directory = t.testdir({ 'tokenizer.json': JSON.stringify(file) })
  return await createTokenizer({ tokenizer: { kind: 'hugging-face', file: 'tokenizer.json' }, length, padding: 'end', truncation: 'end', inputs: { ids: 'ids' } }, directory)
}

/** The library takes JavaScript's white space for Unicode's (U+0085 is not in it, U+FEFF is), which is seen where the file splits by it. */
function comparable<Row> (name: string, rows: readonly Row[]): Row[] {
  return rows.filter((_, row) => name !== 'unigram' || !/[\u0085\uFEFF]/.test(golden.texts[row] ?? ''))
}

for (const { name, file, ids, cut } of golden.cases) {
  t.test(`numbers tokens as Hugging Face does: ${name}`, async t => {
    const encoded = await (await fromFile(t, file, 256)).encode(golden.texts)
    t.strictSame(comparable(name, tokensOf(encoded)), comparable(name, ids))
  })

  t.test(`keeps the special tokens in a cut text, and pads with the file's own padding: ${name}`, async t => {
    const encoded = await (await fromFile(t, file, cut.length)).encode(golden.texts.slice(0, cut.ids.length))
    t.strictSame(comparable(name, rowsOf(encoded, 'ids')), comparable(name, cut.ids))
    t.strictSame(comparable(name, rowsOf(encoded, 'mask')), comparable(name, cut.mask))
  })

  t.test(`gives the same tokens for a text of many slices as for its parts: ${name}`, async t => {
    const tokenizer = await fromFile(t, file, 16_384)
    const [sentence, many] = ['The cat, sat on the mat. Is it not good?', 400]
    const encoded = await tokenizer.encode([sentence, ` ${sentence}`, Array(many).fill(sentence).join(' ')])
    const [first = [], next = [], all] = tokensOf(encoded)
    t.strictSame(all, [first.slice(0, -1), ...Array<number[]>(many - 1).fill(next.slice(1, -1)), first.slice(-1)].flat())
  })
}

t.test('refuses a file, naming what is wrong with it', async t => {
  const [bert] = golden.cases
  t.ok(bert)
  const { model, ...rest } = bert?.file ?? {}
  const broken: Record<string, [file: unknown, message: RegExp]> = {
    'not an object': [[], /is not a tokenizer.json/],
    'no model': [rest, /is not a tokenizer.json.*model/],
    'unknown model': [{ ...rest, model: { ...model as object, type: 'Markov', vocab: null } }, /can not be used as a tokenizer: Unknown TokenizerModel type: Markov/],
    'no unknown token': [{ ...rest, model: { ...model as object, unk_token: '[NONE]' } }, /has no token \[NONE\]/],
    'unknown normalizer': [{ ...bert?.file, normalizer: { type: 'Shout' } }, /can not be used as a tokenizer: .*Shout/]
  }
  for (const [name, [file, message]] of Object.entries(broken)) await t.rejects(fromFile(t, file, 8), { code: 'MODEL_BAD_MANIFEST', message }, name)
})
