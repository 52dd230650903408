import { Tokenizer } from '@huggingface/tokenizers'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { BadManifestError } from '../errors.ts'
import type { TokenizerKind } from './encode.ts'
import { isAsciiSpace, type Slicing } from './slices.ts'
import { WORD_PIECE_SLICING, wordPiece } from './wordpiece.ts'

const FileSchema = Type.Object({
  normalizer: Type.Unknown(),
  pre_tokenizer: Type.Unknown(),
  post_processor: Type.Unknown(),
  decoder: Type.Unknown(),
  added_tokens: Type.Array(Type.Object({ id: Type.Integer({ minimum: 0 }), content: Type.String({ minLength: 1 }), special: Type.Optional(Type.Boolean()) })),
  model: Type.Object({ type: Type.Optional(Type.String()), vocab: Type.Unknown() }),
  padding: Type.Optional(Type.Union([Type.Null(), Type.Object({ pad_id: Type.Integer({ minimum: 0 }) })]))
})
type File = Static<typeof FileSchema>

/** A file whose every part is BERT's. */
const BertSchema = Type.Object({
  normalizer: Type.Object({
    type: Type.Literal('BertNormalizer'),
    clean_text: Type.Boolean(),
    handle_chinese_chars: Type.Boolean(),
    strip_accents: Type.Union([Type.Boolean(), Type.Null()]),
    lowercase: Type.Boolean()
  }),
  pre_tokenizer: Type.Object({ type: Type.Literal('BertPreTokenizer') }),
  model: Type.Object({
    type: Type.Literal('WordPiece'),
    vocab: Type.Record(Type.String(), Type.Integer({ minimum: 0 })),
    unk_token: Type.String(),
    continuing_subword_prefix: Type.String({ minLength: 1 }),
    max_input_chars_per_word: Type.Integer({ minimum: 1 })
  }),
  added_tokens: Type.Array(Type.Object({
    content: Type.String(), normalized: Type.Literal(false), lstrip: Type.Literal(false), rstrip: Type.Literal(false), single_word: Type.Literal(false)
  }))
})
type BertFile = Static<typeof BertSchema>

/** What is used of the library; its own types do not resolve under `nodenext`. */
interface Library {
  readonly model: { readonly unk_token_id?: number }
  encode (text: string, options?: { add_special_tokens?: boolean }): { readonly ids: number[] }
  token_to_id (token: string): number | undefined
}
const LibraryTokenizer = Tokenizer as unknown as new (file: File, config: object) => Library

const fileValidator = Compile(FileSchema)
const bertValidator = Compile(BertSchema)

/**
 * Words carry the space before them (GPT-2's `Ġ`, sentencepiece's `▁`), so a slice may start with one. The library's time for a run of
 * unknown characters grows with its square, hence short slices.
 */
const LIBRARY_SLICING: Slicing = { length: 1024, canCut: (before, after) => after === 0x20 && !isAsciiSpace(before), overlong: 'cut' }
const PADDINGS = ['[PAD]', '<pad>', '<|padding|>', '<|endoftext|>', '</s>']
/** A text with tokens of its own, to find which special ones a file puts around them. */
const PROBE = 'a'

/**
 * The tokenizer in a Hugging Face `tokenizer.json`. Its padding and truncation are not used: the contract says those.
 *
 * A BERT file is tokenized by {@link wordPiece}, any other by Hugging Face's own library. For BERT that one differs from the original at
 * Σ and at Chinese characters outside the BMP, and takes a second for 16 KB of made-up words, which anybody may send.
 *
 * Exact for BERT's. For others a run of over 1024 characters without a space is cut, and tokens beside the cut may differ.
 *
 * @throws BadManifestError if it is not JSON, misses parts or has parts that the library does not know
 */
export async function huggingFace (path: string, text: string): Promise<TokenizerKind<number>> {
  const file = parseFile(path, text)
  const library = load(path, file)
  const isBert = bertValidator.Check(file)
  const unknown = library.model.unk_token_id
  return {
    ...around(path, library),
    slicing: isBert ? WORD_PIECE_SLICING : LIBRARY_SLICING,
    padding: file.padding?.pad_id ?? PADDINGS.map(token => library.token_to_id(token)).find(id => id !== undefined) ?? 0,
    ngrams: 1,
    split: isBert ? await bertSplit(path, file) : slice => library.encode(slice, { add_special_tokens: false }).ids,
    isUnknown: number => number === unknown,
    number: numbers => numbers
  }
}

function parseFile (path: string, text: string): File {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new BadManifestError(path, `is not JSON: ${(error as Error).message}`)
  }
  if (fileValidator.Check(value)) return value
  const [first] = fileValidator.Errors(value)
  throw new BadManifestError(path, `is not a tokenizer.json: ${first?.instancePath === '' ? 'the whole' : first?.instancePath} ${first?.message}`)
}

function load (path: string, file: File): Library {
  try {
    const library = new LibraryTokenizer(file, {})
    library.encode(PROBE)
    return library
  } catch (error) {
    throw new BadManifestError(path, `can not be used as a tokenizer: ${(error as Error).message}`)
  }
}

async function bertSplit (path: string, { normalizer, model, added_tokens: added }: BertFile): Promise<(slice: string) => number[]> {
  const unknown = model.vocab[model.unk_token]
  if (unknown === undefined) throw new BadManifestError(path, `has no token ${model.unk_token}, its own for unknown words`)
  return await wordPiece(new Map(Object.entries(model.vocab)), {
    lowercase: normalizer.lowercase,
    stripAccents: normalizer.strip_accents ?? normalizer.lowercase,
    cleanText: normalizer.clean_text,
    splitChinese: normalizer.handle_chinese_chars,
    unknown,
    continuing: model.continuing_subword_prefix,
    longestWord: model.max_input_chars_per_word,
    special: added.map(token => token.content)
  })
}

/** The special tokens that the file's post-processor puts around a text. */
function around (path: string, library: Library): { prefix: number[], suffix: number[] } {
  const inner = library.encode(PROBE, { add_special_tokens: false }).ids
  const outer = library.encode(PROBE).ids
  const start = outer.findIndex((_, index) => inner.every((number, offset) => outer[index + offset] === number))
  if (inner.length === 0 || start === -1) throw new BadManifestError(path, `does not turn the text "${PROBE}" into tokens`)
  return { prefix: outer.slice(0, start), suffix: outer.slice(start + inner.length) }
}
