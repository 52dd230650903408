import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatasetError } from '../../errors.ts'
import { shuffledRows } from '../random.ts'
import { fetchVader } from './fetch-vader.ts'

/** The two collections that are learned from; the others are of tweets and newspaper editorials. */
export const VADER_FILES = ['movieReviewSnippets_GroundTruth.txt', 'amazonReviewSnippets_GroundTruth.txt'] as const

export const VADER_ORIGIN = 'Film and product sentences of VADER (C. J. Hutto and E. Gilbert, ICWSM 2014), MIT licence, in vaderSentiment 3.3.2'

/** A sentence whose readers agreed, more or less. */
export interface SentimentSentence {
  readonly text: string
  /** What twenty readers gave it on average: −4 (extremely negative) … 4, never nearer to 0 than {@link NEUTRAL}. */
  readonly score: number
  /** 1: positive, 0: negative. */
  readonly label: 0 | 1
}

export interface VaderSentences {
  readonly train: readonly SentimentSentence[]
  readonly heldOut: readonly SentimentSentence[]
}

export interface VaderOptions {
  /** Folder with {@link VADER_FILES}; if left out they are fetched, once. */
  readonly directory?: string | undefined
  /** The user's cache folder, which keeps what was fetched. */
  readonly cacheDirectory: string
  /** Decides which sentences are held out. */
  readonly seed: number
}

/** Scores nearer to 0 are left out. */
const NEUTRAL = 1
const LARGEST_SCORE = 4
/** Share of the sentences that is not learned from. */
const HELD_OUT = 0.1

/**
 * VADER's film and product sentences in an order that the seed decides. A sentence that is there twice counts once, so that none is both
 * learned from and held out.
 *
 * @throws DatasetError if a file or a line of it is not what it should be, or if they can not be fetched
 */
export async function loadVader ({ directory, cacheDirectory, seed }: VaderOptions): Promise<VaderSentences> {
  const folder = directory ?? await fetchVader(cacheDirectory, VADER_FILES)
  const files = await Promise.all(VADER_FILES.map(async name => await readSentences(join(folder, name))))
  return holdOut(withoutRepeats(files.flat()), seed)
}

/** @returns its sentences that are not neutral */
async function readSentences (path: string): Promise<SentimentSentence[]> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new DatasetError(`${path} can not be read (${error.code ?? error.message}); the folder needs ${VADER_FILES.join(' and ')}`)
  })
  const sentences: SentimentSentence[] = []
  for (const [index, line] of decode(bytes).split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    const sentence = parseLine(line)
    if (sentence === undefined) throw new DatasetError(`${path}, line ${index + 1} is not an id, a score of −4 … 4 and a text with tabs between: ${line.slice(0, 80)}`)
    if (Math.abs(sentence.score) >= NEUTRAL) sentences.push(sentence)
  }
  return sentences
}

/** UTF-8, as in the package; Windows-1252 for a file that an editor changed. */
function decode (bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}

function parseLine (line: string): SentimentSentence | undefined {
  const [id, number, ...rest] = line.split('\t')
  const [score, text] = [Number(number), rest.join(' ').trim()]
  const isSound = id !== undefined && number !== undefined && number.trim() !== '' && Math.abs(score) <= LARGEST_SCORE && text !== ''
  return isSound ? { text, score, label: score > 0 ? 1 : 0 } : undefined
}

function withoutRepeats (sentences: readonly SentimentSentence[]): SentimentSentence[] {
  const first = new Map<string, SentimentSentence>()
  for (const sentence of sentences) {
    const key = sentence.text.toLowerCase()
    if (!first.has(key)) first.set(key, sentence)
  }
  return [...first.values()]
}

function holdOut (sentences: readonly SentimentSentence[], seed: number): VaderSentences {
  const shuffled = Array.from(shuffledRows(sentences.length, seed), row => sentences[row]!)
  const count = Math.floor(sentences.length * HELD_OUT)
  return { heldOut: shuffled.slice(0, count), train: shuffled.slice(count) }
}
