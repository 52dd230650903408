import { BadManifestError } from '../errors.ts'
import type { TokenizerKind } from './encode.ts'
import { Turn } from '../turn.ts'
import { lines } from './version-file.ts'
import { BERT_OPTIONS, WORD_PIECE_SLICING, wordPiece } from './wordpiece.ts'

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']

/**
 * BERT's tokenizer from its `vocab.txt`: one token a line, line n (from 0) is token n.
 *
 * @throws BadManifestError if one of [PAD], [UNK], [CLS] and [SEP] is missing
 */
export async function bertVocabulary (path: string, text: string, lowercase: boolean): Promise<TokenizerKind<number>> {
  const numbers = await numberLines(text)
  const numberOf = (token: string): number => {
    const number = numbers.get(token)
    if (number === undefined) throw new BadManifestError(path, `BERT's vocabulary has no ${token}`)
    return number
  }
  const unknown = numberOf('[UNK]')
  const special = SPECIAL.filter(token => numbers.has(token))
  return {
    slicing: WORD_PIECE_SLICING,
    prefix: [numberOf('[CLS]')],
    suffix: [numberOf('[SEP]')],
    padding: numberOf('[PAD]'),
    ngrams: 1,
    split: await wordPiece(numbers, { ...BERT_OPTIONS, lowercase, stripAccents: lowercase, unknown, special }),
    isUnknown: number => number === unknown,
    number: numbers => numbers
  }
}

/** A token that is there twice has its last number, as in Hugging Face's reader. */
async function numberLines (text: string): Promise<Map<string, number>> {
  const turn = new Turn()
  const numbers = new Map<string, number>()
  for (const [number, token] of lines(text).entries()) {
    numbers.set(token, number)
    if (turn.isOver()) await turn.next()
  }
  return numbers
}
