import t, { type Test } from 'tap'
import type { TextContract } from '../../src/registry/manifest.ts'
import { createTokenizer, type Tokenizer } from '../../src/text/index.ts'
import { seededRandom } from '../../src/training/random.ts'
import { readGolden, rowsOf } from '../support/text-golden.ts'

const WORDS = { kind: 'text-vectorization', vocabulary: 'vocabulary.txt', standardize: 'lower-and-strip-punctuation', split: 'whitespace' } as const
const CONTRACT: TextContract = { tokenizer: WORDS, length: 4, padding: 'end', truncation: 'end', inputs: { ids: 'ids' } }
const VOCABULARY = 'the\ncat\nsat\n'

async function words (directory: string, changes: Partial<TextContract> = {}): Promise<Tokenizer> {
  return await createTokenizer({ ...CONTRACT, ...changes }, directory)
}

t.test('says how many tokens each text had, which were unknown and what was cut', async t => {
  const tokenizer = await words(t.testdir({ 'vocabulary.txt': VOCABULARY }))
  t.strictSame(await tokenizer.encode(['The cat sat.', 'the dog and the cat', '']), {
    rows: 3,
    length: 4,
    ids: Int32Array.of(2, 3, 4, 0, 2, 1, 1, 2, 0, 0, 0, 0),
    mask: Int32Array.of(1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0),
    types: new Int32Array(12),
    padding: 0,
    tokens: [3, 5, 0],
    truncated: [false, true, false],
    unknown: [0, 2, 0]
  })
})

t.test('keeps the end of a text and pads before it where the contract says so', async t => {
  const tokenizer = await words(t.testdir({ 'vocabulary.txt': VOCABULARY }), { truncation: 'start', padding: 'start' })
  t.strictSame(rowsOf(await tokenizer.encode(['the the cat sat the', 'sat']), 'ids'), [[2, 3, 4, 2], [0, 0, 0, 4]])
})

t.test('pads only to the longest text where the contract says so', async t => {
  const tokenizer = await words(t.testdir({ 'vocabulary.txt': VOCABULARY }), { padTo: 'longest' })
  t.strictSame(rowsOf(await tokenizer.encode(['cat', 'cat sat']), 'ids'), [[3, 0], [3, 4]])
  t.strictSame(rowsOf(await tokenizer.encode(['', '']), 'ids'), [[0], [0]])
  t.strictSame(rowsOf(await tokenizer.encode(['the '.repeat(9)]), 'ids'), [[2, 2, 2, 2]])
})

t.test('counts words, not runs of words, and says that a run was cut', async t => {
  const tokenizer = await words(t.testdir({ 'vocabulary.txt': 'the\ncat\nthe cat\n' }), { tokenizer: { ...WORDS, ngrams: 2 } })
  const { ids, tokens, unknown, truncated } = await tokenizer.encode(['the cat', 'the cat x'])
  t.strictSame({ ids: [...ids], tokens, unknown, truncated }, { ids: [2, 3, 4, 0, 2, 3, 1, 4], tokens: [2, 3], unknown: [0, 1], truncated: [false, true] })
})

t.test('gives the last runs of a long text where its start is cut', async t => {
  const contract = { tokenizer: { ...WORDS, ngrams: 2 }, length: 3, truncation: 'start' } as const
  const tokenizer = await words(t.testdir({ 'vocabulary.txt': 'a b\nb c\nc d\n' }), contract)
  t.strictSame([...(await tokenizer.encode([`${'x '.repeat(20_000)}a b c d`])).ids], [2, 3, 4])
})

t.test('reads the vocabulary that Keras saves, with its two special tokens on top', async t => {
  const tokenizer = await words(t.testdir({ 'vocabulary.txt': '\n[UNK]\nthe\ncat' }))
  t.strictSame([...(await tokenizer.encode(['the cat dog'])).ids], [2, 3, 1, 0])
})

t.test('refuses a file that is not what the contract says, naming it and the reason', async t => {
  const directory = t.testdir({
    empty: '', latin1: Buffer.from([0x63, 0x61, 0xe9]), twice: 'a\nb\na\n', hole: 'a\n\nb\n', header: '\n[UNK]\n', json: '{"a":', bert: '[PAD]\n[UNK]\n[CLS]\na\n', folder: {}
  })
  const vocabulary = (name: string): TextContract => ({ ...CONTRACT, tokenizer: { ...WORDS, vocabulary: name } })
  const wordPiece: TextContract = { ...CONTRACT, tokenizer: { kind: 'wordpiece', vocabulary: 'bert', lowercase: true } }
  const json: TextContract = { ...CONTRACT, tokenizer: { kind: 'hugging-face', file: 'json' } }
  const refused: [contract: TextContract, message: RegExp][] = [
    [vocabulary('missing'), /missing: .*can not be read \(ENOENT\)/],
    [vocabulary('folder'), /folder: .*can not be read \(EISDIR\)/],
    [vocabulary('../outside'), /outside: .*has to be in the version's directory/],
    [vocabulary('/etc/hostname'), /has to be in the version's directory/],
    [vocabulary('empty'), /empty: .*is empty/],
    [vocabulary('latin1'), /latin1: .*is not UTF-8/],
    [vocabulary('twice'), /twice: the vocabulary has "a" twice/],
    [vocabulary('hole'), /hole: line 2 of the vocabulary is empty/],
    [vocabulary('header'), /header: the vocabulary has no tokens/],
    [wordPiece, /bert: BERT's vocabulary has no \[SEP\]/],
    [json, /json: is not JSON/]
  ]
  for (const [contract, message] of refused) await t.rejects(createTokenizer(contract, directory), { code: 'MODEL_BAD_MANIFEST', message })
})

t.test('refuses a length that has no room beside the special tokens', async t => {
  const directory = t.testdir({ 'vocab.txt': '[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n' })
  const contract: TextContract = { ...CONTRACT, tokenizer: { kind: 'wordpiece', vocabulary: 'vocab.txt', lowercase: true }, length: 2 }
  await t.rejects(createTokenizer(contract, directory), { code: 'MODEL_BAD_MANIFEST', message: /2 special tokens .* no room in a length of 2/ })
})

interface Named { name: string, tokenizer: Tokenizer }

/** One of each kind, on the golden files' vocabularies. */
async function everyKind (t: Test, length = 64): Promise<Named[]> {
  const { vocabulary } = await readGolden<{ vocabulary: string[] }>('wordpiece.json')
  const { cases } = await readGolden<{ cases: { name: string, file: unknown }[] }>('hugging-face.json')
  const directory = t.testdir({ 'vocabulary.txt': VOCABULARY, 'vocab.txt': vocabulary.join('\n'), ...Object.fromEntries(cases.map(({ name, file }) => [name, JSON.stringify(file)])) })
  const tokenizers: Record<string, TextContract['tokenizer']> = {
    words: { ...WORDS, ngrams: 2 },
    characters: { ...WORDS, split: 'character' },
    whole: { ...WORDS, split: 'none' },
    wordpiece: { kind: 'wordpiece', vocabulary: 'vocab.txt', lowercase: true },
    'wordpiece, cased': { kind: 'wordpiece', vocabulary: 'vocab.txt', lowercase: false },
    ...Object.fromEntries(cases.map(({ name }) => [name, { kind: 'hugging-face', file: name }]))
  }
  return await Promise.all(Object.entries(tokenizers).map(async ([name, tokenizer]) => ({ name, tokenizer: await createTokenizer({ ...CONTRACT, tokenizer, length }, directory) })))
}

t.test('encodes any string: every row is full, in bounds and the same again', async t => {
  const random = seededRandom(5)
  const unit = (): number => random() < 0.5 ? Math.floor(random() * 0x80) : Math.floor(random() * 0x10000)
  const texts = Array.from({ length: 300 }, () => String.fromCharCode(...Array.from({ length: Math.floor(random() * 50) }, unit)))
  texts.push('\ud800', '\udc00\ud800', '\0', 'a\0b', '\ufeff', '\u0301', 'e\u0301\u0301', '👩‍👩‍👧', '\u{10FFFF}', '\u202e', '[CLS][SEP][PAD]', '<s></s><pad>', '__proto__', 'constructor', 'hasOwnProperty')
  for (const { name, tokenizer } of await everyKind(t)) {
    const encoded = await tokenizer.encode(texts)
    t.equal(encoded.ids.join(), (await tokenizer.encode(texts)).ids.join(), name)
    t.equal(encoded.ids.length, texts.length * 64)
    t.ok(encoded.ids.every(id => id >= 0 && id < 1000), `${name} gives numbers of its vocabulary`)
    t.ok(encoded.unknown.every((count, row) => count >= 0 && count <= (encoded.tokens[row] ?? -1)))
  }
})

t.test('gives a text the same row alone and among others', async t => {
  const texts = ['the cat', '', 'sat '.repeat(100), 'The é 生活']
  for (const { name, tokenizer } of await everyKind(t)) {
    const together = rowsOf(await tokenizer.encode(texts), 'ids')
    const alone = await Promise.all(texts.map(async text => rowsOf(await tokenizer.encode([text]), 'ids')[0]))
    t.strictSame(together, alone, name)
  }
})

const MEGABYTE = 1024 * 1024
const HUGE: Record<string, string> = {
  sentences: 'The cat sat on the mat, loved it! '.repeat(MEGABYTE / 34),
  'one word': 'a'.repeat(MEGABYTE),
  spaces: ' '.repeat(MEGABYTE),
  'combining marks': `e${'\u0301'.repeat(MEGABYTE)}`,
  'lone surrogates': '\ud800'.repeat(MEGABYTE),
  Chinese: '生活的真谛是'.repeat(MEGABYTE / 6),
  'words that no vocabulary has': Array.from({ length: MEGABYTE / 100 }, (_, word) => String.fromCharCode(97 + word % 26).repeat(60) + 'qxz'.repeat(13)).join(' ')
}

t.test('holds the event loop for a slice only while it encodes a megabyte', async t => {
  for (const { name, tokenizer } of await everyKind(t)) {
    for (const [kind, text] of Object.entries(HUGE)) {
      const { turns, longestMs } = await watchLoop(() => tokenizer.encode([text]))
      t.comment(`${name}, ${kind}: ${turns} turns of the loop, ${longestMs.toFixed(0)} ms without one at the longest`)
      t.ok(longestMs < 500, `${name} of ${kind}; a few milliseconds but for other work on the machine`)
    }
  }
})

t.test('starts the tokens of a megabyte with those of its first part', async t => {
  for (const { name, tokenizer } of (await everyKind(t)).filter(({ name }) => name !== 'whole')) {
    for (const text of [HUGE['sentences'], HUGE['Chinese'], HUGE['words that no vocabulary has']]) {
      const [whole, start] = [await tokenizer.encode([text ?? '']), await tokenizer.encode([text?.slice(0, 900) ?? ''])]
      t.equal(whole.ids.subarray(0, 8).join(), start.ids.subarray(0, 8).join(), name)
      t.strictSame(whole.truncated, [true])
    }
  }
})

async function watchLoop<Result> (work: () => Promise<Result>): Promise<{ turns: number, longestMs: number, result: Result }> {
  let [turns, longestMs, last, isDone] = [0, 0, performance.now(), false]
  const tick = (): void => {
    longestMs = Math.max(longestMs, performance.now() - last)
    last = performance.now()
    turns++
    if (!isDone) setImmediate(tick)
  }
  setImmediate(tick)
  const result = await work()
  isDone = true
  tick()
  return { turns, longestMs, result }
}

t.test('takes a word of a megabyte for one unknown word', async t => {
  const text = `the ${'x'.repeat(MEGABYTE)}`
  for (const { name, tokenizer } of (await everyKind(t)).filter(({ name }) => ['words', 'wordpiece', 'bert'].includes(name))) {
    const { tokens, unknown } = await tokenizer.encode([text])
    t.strictSame({ tokens, unknown }, { tokens: [2], unknown: [1] }, name)
  }
})
