import type { TextContract } from '../registry/manifest.ts'

type TextVectorization = Extract<TextContract['tokenizer'], { kind: 'text-vectorization' }>

export type SplitOptions = Pick<TextVectorization, 'standardize' | 'split' | 'ngrams'>

/** What Keras strips: ASCII's 32 signs. Others (“ ” … ¿) stay. */
const PUNCTUATION = /[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]+/g
/** `tf.strings.lower` without an encoding knows A–Z only: É stays É. */
const UPPER = /[A-Z]+/g
/** `tf.strings.split` splits at ASCII's six; a no-break space is part of a word. */
const WORDS = /[^\t\n\v\f\r ]+/g

/**
 * Standardizes and splits as Keras's `TextVectorization` with the same options, in linear time.
 *
 * @param text well-formed Unicode
 * @see https://keras.io/api/layers/preprocessing_layers/text/text_vectorization/
 */
export function splitText (text: string, { standardize, split }: SplitOptions): string[] {
  let standard = text
  if (standardize === 'lower' || standardize === 'lower-and-strip-punctuation') standard = standard.replace(UPPER, letters => letters.toLowerCase())
  if (standardize === 'strip-punctuation' || standardize === 'lower-and-strip-punctuation') standard = standard.replace(PUNCTUATION, '')
  switch (split) {
    case 'whitespace': return standard.match(WORDS) ?? []
    case 'character': return Array.from(standard)
    case 'none': return standard === '' ? [] : [standard]
  }
}

/** @returns every token, then every run of two joined by a space, and so on up to `longest`: the order of `tf.strings.ngrams` */
export function runs (tokens: readonly string[], longest: number): string[] {
  const all = [...tokens]
  for (let length = 2; length <= longest; length++) {
    for (let start = 0; start + length <= tokens.length; start++) all.push(tokens.slice(start, start + length).join(' '))
  }
  return all
}
