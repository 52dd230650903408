import { readFile } from 'node:fs/promises'
import type { EncodedTexts } from '../../src/text/index.ts'

/** What the real libraries answered. @see ../text/golden/make.py */
export async function readGolden<Golden> (name: string): Promise<Golden> {
  return JSON.parse(await readFile(new URL(`../text/golden/${name}`, import.meta.url), 'utf8')) as Golden
}

export function rowsOf (encoded: EncodedTexts, tensor: 'ids' | 'mask' | 'types'): number[][] {
  return Array.from({ length: encoded.rows }, (_, row) => [...encoded[tensor].subarray(row * encoded.length, (row + 1) * encoded.length)])
}

/** @returns the token numbers of each row without what pads it */
export function tokensOf (encoded: EncodedTexts): number[][] {
  const mask = rowsOf(encoded, 'mask')
  return rowsOf(encoded, 'ids').map((ids, row) => ids.filter((_, column) => mask[row]?.[column] === 1))
}
