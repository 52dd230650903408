import { isAsciiSpace, type Slicing } from './slices.ts'
import { Turn } from '../turn.ts'

export interface WordPieceOptions {
  readonly lowercase: boolean
  readonly stripAccents: boolean
  /** Control characters go, every kind of space becomes a plain one. */
  readonly cleanText: boolean
  /** Each Chinese character is a word of its own. */
  readonly splitChinese: boolean
  /** Number for a word that has no pieces. */
  readonly unknown: number
  /** What a piece that goes on with a word starts with: `##`. */
  readonly continuing: string
  /** Characters of a word; a longer one is unknown. */
  readonly longestWord: number
  /** Tokens that are found in the raw text, whatever surrounds them: `[SEP]`, `[MASK]`… */
  readonly special: readonly string[]
}

export const BERT_OPTIONS: Pick<WordPieceOptions, 'cleanText' | 'splitChinese' | 'continuing' | 'longestWord'> = {
  cleanText: true, splitChinese: true, continuing: '##', longestWord: 100
}

const ASCII_ONLY = /^[\t\n\r -~]*$/
const CONTROL = /[\0\uFFFD]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu
const SPACE = /\p{White_Space}/gu
const MARK = /\p{Mn}/gu
const CHINESE = /[\u4E00-\u9FFF\u3400-\u4DBF\uF900-\uFAFF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B81F}\u{2B820}-\u{2CEAF}\u{2F800}-\u{2FA1F}]/gu
const WORDS = /[\p{P}$+<=>^`|~]|[^\p{White_Space}\p{P}$+<=>^`|~]+/gu

/**
 * BERT's tokenizer: clean, split at spaces and punctuation, then the longest pieces that the vocabulary has. The same as Hugging Face's
 * `BertNormalizer`, `BertPreTokenizer` and `WordPiece`; a word costs at most its length × the vocabulary's longest piece.
 *
 * @param vocabulary token → number
 * @returns a function from a text to its tokens' numbers, special tokens not added
 */
export async function wordPiece (vocabulary: ReadonlyMap<string, number>, options: WordPieceOptions): Promise<(text: string) => number[]> {
  const pieces = await indexPieces(vocabulary, options.continuing)
  const { unknown } = options
  const special = options.special.length === 0 ? undefined : new RegExp(`(${options.special.toSorted((a, b) => b.length - a.length).map(escape).join('|')})`)

  function numberWords (text: string, into: number[]): void {
    for (const word of normalize(text, options).match(WORDS) ?? []) numberWord(word, pieces, unknown, options.longestWord, into)
  }

  return text => {
    const numbers: number[] = []
    const sections = special === undefined ? [text] : text.split(special)
    for (const [index, section] of sections.entries()) {
      if (index % 2 === 1) numbers.push(vocabulary.get(section) ?? unknown)
      else numberWords(section, numbers)
    }
    return numbers
  }
}

const CLOSING = new Set(Array.from('.,;:!?)]}"、。！？，；：）」\u3000', sign => sign.charCodeAt(0)))

/** BERT starts a new word after a space, a sign or a Chinese character, whatever comes next. */
export const WORD_PIECE_SLICING: Slicing = {
  length: 2048,
  canCut: before => isAsciiSpace(before) || CLOSING.has(before) || (before >= 0x4e00 && before <= 0x9fff),
  overlong: 'skip'
}

function normalize (text: string, options: WordPieceOptions): string {
  if (options.cleanText && ASCII_ONLY.test(text)) return options.lowercase ? text.toLowerCase() : text
  let normal = text
  if (options.cleanText) normal = normal.replace(CONTROL, '').replace(SPACE, ' ')
  if (options.splitChinese) normal = normal.replace(CHINESE, ' $& ')
  if (options.stripAccents) normal = normal.normalize('NFD').replace(MARK, '')
  // Letter by letter: toLowerCase alone would write a Σ that ends a word as ς.
  return options.lowercase ? normal.replaceAll('Σ', 'σ').toLowerCase() : normal
}

interface Pieces {
  readonly starting: ReadonlyMap<string, number>
  readonly continuing: ReadonlyMap<string, number>
  /** UTF-16 units. */
  readonly longest: number
}

async function indexPieces (vocabulary: ReadonlyMap<string, number>, prefix: string): Promise<Pieces> {
  const turn = new Turn()
  const continuing = new Map<string, number>()
  let longest = 1
  for (const [token, number] of vocabulary) {
    longest = Math.max(longest, token.length)
    if (token.startsWith(prefix)) continuing.set(token.slice(prefix.length), number)
    if (turn.isOver()) await turn.next()
  }
  return { starting: vocabulary, continuing, longest }
}

function numberWord (word: string, pieces: Pieces, unknown: number, longestWord: number, into: number[]): void {
  const before = into.length
  let start = isLongerThan(word, longestWord) ? -1 : 0
  while (start !== -1 && start < word.length) start = takePiece(word, start, pieces, into)
  if (start === -1) {
    into.length = before
    into.push(unknown)
  }
}

/** Adds the longest piece that the word has at `start`. @returns where it ends; −1 if there is none */
function takePiece (word: string, start: number, { starting, continuing, longest }: Pieces, into: number[]): number {
  const known = start === 0 ? starting : continuing
  for (let end = Math.min(word.length, start + longest); end > start; end--) {
    const number = known.get(word.slice(start, end))
    if (number === undefined) continue
    into.push(number)
    return end
  }
  return -1
}

function isLongerThan (word: string, characters: number): boolean {
  if (word.length <= characters) return false
  return word.length > 2 * characters || Array.from(word).length > characters
}

function escape (text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
