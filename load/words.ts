import { seededRandom } from '../src/training/random.ts'

const WORDS = 9_998 // with the number for padding and the one for unknown words 10 000
const CONSONANTS = 'bdfgklmnprstvz'
const VOWELS = 'aeiou'

/** Made-up words, each a few syllables, always the same. */
export const VOCABULARY: readonly string[] = Array.from({ length: WORDS }, (_, number) => wordOf(number))

/** A text of that many words of the vocabulary. */
export function makeText (words: number, seed = 1): string {
  const random = seededRandom(seed)
  return Array.from({ length: words }, () => VOCABULARY[Math.floor(random() * WORDS)]).join(' ')
}

/** The number written in syllables for digits: no two are alike. */
function wordOf (number: number): string {
  const syllables = CONSONANTS.length * VOWELS.length
  const syllable = CONSONANTS[number % CONSONANTS.length]! + VOWELS[Math.floor(number / CONSONANTS.length) % VOWELS.length]!
  return number < syllables ? syllable : wordOf(Math.floor(number / syllables)) + syllable
}
