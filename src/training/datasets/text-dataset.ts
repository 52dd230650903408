import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { TextContract } from '../../registry/manifest.ts'
import type { TensorValue } from '../../tensorflow/index.ts'
import { buildVocabulary, createTokenizer, formatVocabulary, type Tokenizer } from '../../text/index.ts'
import { shuffledRows } from '../random.ts'
import { gatherRows, tensorDataset, type Dataset } from './dataset.ts'
import type { LabelledTexts } from './labelled-texts.ts'

/** Token numbers up to this many are kept in memory; more are made anew for each batch. 512 MiB. */
const MAX_TOKENS_KEPT = 2 ** 27
/** Texts that are read or tokenized at once. */
const CHUNK = 1000
/** A vocabulary is learned from so many texts at most: more change nothing about its most frequent words. */
const MAX_TEXTS_FOR_VOCABULARY = 100_000

/**
 * Learns a vocabulary and writes its file, for a tokenizer to read.
 *
 * @param texts those that are learned from, and no others: what is held out may hold words that nobody has seen
 * @param folder gets the contract's file
 * @param maxTokens largest size, the two special tokens counted
 * @returns the file's path
 */
export async function writeVocabulary (texts: LabelledTexts, { tokenizer }: TextContract, folder: string, { maxTokens, seed }: { maxTokens: number, seed: number }): Promise<string> {
  if (tokenizer.kind !== 'text-vectorization') throw new TypeError(`Expected a tokenizer whose vocabulary is learned but received ${tokenizer.kind}`)
  const rows = shuffledRows(texts.labels.length, seed).subarray(0, MAX_TEXTS_FOR_VOCABULARY)
  const vocabulary = buildVocabulary(await texts.texts(rows), { ...tokenizer, maxTokens })
  const path = join(folder, tokenizer.vocabulary)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, formatVocabulary(vocabulary))
  return path
}

/**
 * Texts as token numbers, int32 [rows, length]. They are tokenized once if there is room for all, else batch by batch.
 *
 * @param folder where the contract's vocabulary lies
 */
export async function textDataset (texts: LabelledTexts, contract: TextContract, folder: string): Promise<Dataset> {
  const tokenizer = await createTokenizer(contract, folder)
  const { labels } = texts
  const targets: TensorValue = { dtype: 'int32', shape: [labels.length], data: labels }
  if (labels.length * contract.length <= MAX_TOKENS_KEPT) return tensorDataset(await tokenizeAll(texts, tokenizer, contract.length), targets)
  return {
    rows: labels.length,
    batch: async rows => ({ inputs: [await tokenize(await texts.texts(rows), tokenizer)], targets: [gatherRows(targets, rows)] })
  }
}

async function tokenizeAll (texts: LabelledTexts, tokenizer: Tokenizer, length: number): Promise<TensorValue> {
  const rows = texts.labels.length
  const all = new Int32Array(rows * length)
  for (let start = 0; start < rows; start += CHUNK) {
    const chunk = Array.from({ length: Math.min(CHUNK, rows - start) }, (_, index) => start + index)
    const { data } = await tokenize(await texts.texts(chunk), tokenizer)
    all.set(data as Int32Array, start * length)
  }
  return { dtype: 'int32', shape: [rows, length], data: all }
}

async function tokenize (texts: readonly string[], tokenizer: Tokenizer): Promise<TensorValue> {
  const { rows, length, ids } = await tokenizer.encode(texts)
  return { dtype: 'int32', shape: [rows, length], data: ids }
}
