import type { TextContract } from '../registry/manifest.ts'
import { firstCut, slices, type Slicing } from './slices.ts'
import { Turn } from '../turn.ts'

/** What tells one kind of tokenizer from another. Cutting, padding and fairness to other requests are the same for all. */
export interface TokenizerKind<Piece> {
  /** Left out where a text can not be cut before it is split. */
  readonly slicing: Slicing | undefined
  /** Token numbers that stand before and after every text; a cut spares them. */
  readonly prefix: readonly number[]
  readonly suffix: readonly number[]
  /** The number that fills a row up. */
  readonly padding: number
  /** Longest run of pieces that has a token number of its own; 1 where there are no n-grams. */
  readonly ngrams: number
  /** @param slice well-formed Unicode, cut where `slicing` allows */
  split (slice: string): Piece[]
  isUnknown (piece: Piece): boolean
  /** @returns single pieces first, then runs of two, and so on up to `ngrams` */
  number (pieces: readonly Piece[]): readonly number[]
}

/** Texts as a model takes them: row-major [rows, length]. */
export interface EncodedTexts {
  readonly rows: number
  readonly length: number
  readonly ids: Int32Array
  /** 1 at tokens, special ones included, 0 at padding. */
  readonly mask: Int32Array
  /** Segment numbers: all 0. */
  readonly types: Int32Array
  /** The number that fills rows up. */
  readonly padding: number
  /** Tokens of each text before it was cut; special tokens and runs of several (n-grams) not counted. Of a text longer than what is read: those read. */
  readonly tokens: readonly number[]
  /** Whether the model does not see all of the text. */
  readonly truncated: readonly boolean[]
  /** How many of `tokens` the vocabulary lacks. */
  readonly unknown: readonly number[]
}

interface Row {
  readonly ids: readonly number[]
  readonly tokens: number
  readonly truncated: boolean
  readonly unknown: number
}

/** UTF-16 units of a text that are read for each token that the model sees: a longer text is cut before it is tokenized. */
const READ_PER_TOKEN = 64
const READ_AT_LEAST = 65_536

/** Encodes in slices of a few milliseconds; the event loop turns in between. */
export async function encodeTexts<Piece> (kind: TokenizerKind<Piece>, contract: TextContract, texts: readonly string[]): Promise<EncodedTexts> {
  const turn = new Turn()
  const rows: Row[] = []
  for (const text of texts) rows.push(await encodeText(kind, contract, text, turn))
  return stack(rows, contract, kind.padding)
}

async function encodeText<Piece> (kind: TokenizerKind<Piece>, contract: TextContract, text: string, turn: Turn): Promise<Row> {
  const room = contract.length - kind.prefix.length - kind.suffix.length
  const window = room + kind.ngrams - 1
  const read = readable(text, contract, kind.slicing)
  let kept: Piece[] = []
  let tokens = 0
  let unknown = 0
  for (const slice of kind.slicing === undefined ? [read] : slices(read, kind.slicing)) {
    const pieces = kind.split(slice.toWellFormed())
    tokens += pieces.length
    for (const piece of pieces) if (kind.isUnknown(piece)) unknown++
    kept = keep(kept, pieces, window, contract.truncation)
    if (turn.isOver()) await turn.next()
  }
  const ids = cut(kind.number(kept), room, contract.truncation)
  const truncated = read.length < text.length || countRuns(tokens, kind.ngrams) > room
  return { ids: [...kind.prefix, ...ids, ...kind.suffix], tokens, truncated, unknown }
}

/** What is read of a text: all of it, or the start or end that is sure to hold the tokens kept unless they average over {@link READ_PER_TOKEN} units. */
function readable (text: string, { length, truncation }: TextContract, slicing: Slicing | undefined): string {
  const limit = Math.max(READ_AT_LEAST, READ_PER_TOKEN * length)
  if (text.length <= limit) return text
  if (truncation === 'end') return text.slice(0, limit)
  const start = text.length - limit
  return text.slice(slicing === undefined ? start : firstCut(text, start, slicing))
}

function keep<Piece> (kept: Piece[], pieces: Piece[], limit: number, truncation: 'start' | 'end'): Piece[] {
  if (truncation === 'end' && kept.length >= limit) return kept
  return cut(kept.length === 0 ? pieces : kept.concat(pieces), limit, truncation)
}

function cut<Item> (items: readonly Item[], limit: number, truncation: 'start' | 'end'): Item[] {
  return truncation === 'end' ? items.slice(0, limit) : items.slice(Math.max(0, items.length - limit))
}

/** @returns how many runs of 1 … `longest` pieces there are in `pieces` */
function countRuns (pieces: number, longest: number): number {
  let count = 0
  for (let length = 1; length <= longest; length++) count += Math.max(0, pieces - length + 1)
  return count
}

function stack (rows: readonly Row[], contract: TextContract, padding: number): EncodedTexts {
  const longest = Math.max(1, ...rows.map(row => row.ids.length))
  const length = contract.padTo === 'longest' ? longest : contract.length
  const ids = new Int32Array(rows.length * length).fill(padding)
  const mask = new Int32Array(ids.length)
  for (const [index, row] of rows.entries()) {
    const start = index * length + (contract.padding === 'start' ? length - row.ids.length : 0)
    ids.set(row.ids, start)
    mask.fill(1, start, start + row.ids.length)
  }
  return {
    rows: rows.length,
    length,
    ids,
    mask,
    types: new Int32Array(ids.length),
    padding,
    tokens: rows.map(row => row.tokens),
    truncated: rows.map(row => row.truncated),
    unknown: rows.map(row => row.unknown)
  }
}
