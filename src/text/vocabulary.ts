import { BadManifestError } from '../errors.ts'
import { splitText, runs, type SplitOptions } from './split-text.ts'
import { Turn } from '../turn.ts'
import { lines } from './version-file.ts'

/** Keras's own first two: 0 pads, 1 stands for every token that is not in the vocabulary. */
export const FIRST_TOKEN = 2
const PADDING = ''
const UNKNOWN = '[UNK]'

export interface VocabularyOptions extends SplitOptions {
  /** Largest size, the two special tokens counted, as Keras's `max_tokens`; no limit if left out. */
  maxTokens?: number
}

/**
 * Learns a vocabulary as Keras's `TextVectorization.adapt` does: the most frequent tokens first, those as frequent from the last to the
 * first by their UTF-8 bytes.
 *
 * @returns without the two special tokens, so that token `n` of the list has number n + 2. Tokens that hold a line break are left out: the
 *   file can't hold them
 */
export function buildVocabulary (texts: Iterable<string>, options: VocabularyOptions): string[] {
  const counts = new Map<string, number>()
  for (const text of texts) {
    for (const token of runs(splitText(text.toWellFormed(), options), options.ngrams ?? 1)) counts.set(token, (counts.get(token) ?? 0) + 1)
  }
  counts.delete(UNKNOWN)
  return [...counts]
    .filter(([token]) => !token.includes('\n'))
    .sort(([a, countA], [b, countB]) => countB - countA || compareBytes(b, a))
    .slice(0, options.maxTokens === undefined ? undefined : Math.max(0, options.maxTokens - FIRST_TOKEN))
    .map(([token]) => token)
}

/** Orders by UTF-8 bytes, which is by code point; JavaScript's own order puts surrogate pairs before U+E000–U+FFFF. */
function compareBytes (a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  let at = 0
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++
  return at === length ? a.length - b.length : unitRank(a.charCodeAt(at)) - unitRank(b.charCodeAt(at))
}

function unitRank (unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

/**
 * The vocabulary's file: UTF-8, one token a line, each line ended by \n; a token may hold anything but \n. Line n (from 0) is token n + 2.
 * Reads the file that Keras saves too, which has the two special tokens (an empty line and `[UNK]`) on top.
 */
export function formatVocabulary (tokens: readonly string[]): string {
  return tokens.map(token => `${token}\n`).join('')
}

/** @throws BadManifestError for an empty or repeated token, naming its line */
export async function parseVocabulary (path: string, text: string): Promise<Map<string, number>> {
  const turn = new Turn()
  const all = lines(text)
  const tokens = all[0] === PADDING && all[1] === UNKNOWN ? all.slice(FIRST_TOKEN) : all
  const numbers = new Map<string, number>()
  if (tokens.length === 0) throw new BadManifestError(path, 'the vocabulary has no tokens')
  for (const [index, token] of tokens.entries()) {
    if (token === PADDING) throw new BadManifestError(path, `line ${all.length - tokens.length + index + 1} of the vocabulary is empty`)
    if (numbers.has(token)) throw new BadManifestError(path, `the vocabulary has "${token}" twice`)
    numbers.set(token, FIRST_TOKEN + index)
    if (turn.isOver()) await turn.next()
  }
  return numbers
}
