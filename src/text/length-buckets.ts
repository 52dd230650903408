import type { TextContract } from '../registry/manifest.ts'
import type { EncodedTexts } from './encode.ts'

/** The shortest length; each further one is twice as long. */
const SHORTEST = 16

/** Rows of one length, and which of the request's texts they are. */
export interface LengthBucket {
  readonly texts: readonly number[]
  readonly encoded: Pick<EncodedTexts, 'rows' | 'length' | 'ids' | 'mask' | 'types'>
}

/** What a row of so many tokens is padded to: a power of two from 16 on, at most what the model sees. Pure. */
export function bucketLength (tokens: number, longest: number): number {
  let length = SHORTEST
  while (length < tokens) length *= 2
  return Math.min(length, longest)
}

/** All lengths that rows are padded to, ascending. Pure. */
export function bucketLengths (longest: number): number[] {
  const lengths = [bucketLength(1, longest)]
  while (lengths.at(-1)! < longest) lengths.push(bucketLength(lengths.at(-1)! + 1, longest))
  return lengths
}

/**
 * Puts each text among those of its length, whatever came with it: so a model with a free length gives it the same answer alone and in any batch, and rows of
 * different requests have the same shape.
 *
 * @returns all texts as they are where the contract's length is fixed
 */
export function inLengthBuckets (encoded: EncodedTexts, contract: TextContract): LengthBucket[] {
  const all = Array.from({ length: encoded.rows }, (_, row) => row)
  if (contract.padTo !== 'longest') return [{ texts: all, encoded }]
  const lengths = all.map(row => bucketLength(tokensIn(encoded, row), contract.length))
  return [...new Set(lengths)].map(length => {
    const texts = all.filter(row => lengths[row] === length)
    return { texts, encoded: resized(encoded, texts, length, contract.padding) }
  })
}

/** Special ones included. */
function tokensIn ({ mask, length }: EncodedTexts, row: number): number {
  return mask.subarray(row * length, (row + 1) * length).reduce((sum, bit) => sum + bit, 0)
}

function resized (encoded: EncodedTexts, texts: readonly number[], length: number, padding: 'start' | 'end'): LengthBucket['encoded'] {
  const resize = (numbers: Int32Array, filler: number): Int32Array => {
    const rows = new Int32Array(texts.length * length).fill(filler)
    for (const [index, text] of texts.entries()) {
      const row = numbers.subarray(text * encoded.length, (text + 1) * encoded.length)
      const kept = padding === 'end' ? row.subarray(0, length) : row.subarray(Math.max(0, row.length - length))
      rows.set(kept, index * length + (padding === 'start' ? length - kept.length : 0))
    }
    return rows
  }
  return { rows: texts.length, length, ids: resize(encoded.ids, encoded.padding), mask: resize(encoded.mask, 0), types: resize(encoded.types, 0) }
}
