import { join } from 'node:path'
import { BadManifestError } from '../errors.ts'
import type { TextContract } from '../registry/manifest.ts'
import { bertVocabulary } from './bert-vocabulary.ts'
import { encodeTexts, type EncodedTexts, type TokenizerKind } from './encode.ts'
import { textVectorization } from './text-vectorization.ts'
import { readVersionFile } from './version-file.ts'
import { parseVocabulary } from './vocabulary.ts'

/** Turns texts into a model's token numbers, the same in training and serving. Holds no state between calls. */
export interface Tokenizer {
  /** Never refuses a text: what it does not know becomes the unknown token. The event loop turns while long texts are encoded. */
  encode (texts: readonly string[]): Promise<EncodedTexts>
}

/**
 * @param directory of the version, where the contract's file lies
 * @throws BadManifestError if that file is missing or is not what the contract says
 */
export async function createTokenizer (contract: TextContract, directory: string): Promise<Tokenizer> {
  const { tokenizer } = contract
  const name = tokenizer.kind === 'hugging-face' ? tokenizer.file : tokenizer.vocabulary
  const path = join(directory, name)
  const text = await readVersionFile(directory, name)
  switch (tokenizer.kind) {
    case 'text-vectorization': return bind(textVectorization(tokenizer, await parseVocabulary(path, text)), contract, path)
    case 'wordpiece': return bind(await bertVocabulary(path, text, tokenizer.lowercase), contract, path)
    case 'hugging-face': return bind(await (await import('./hugging-face.ts')).huggingFace(path, text), contract, path) // a tenth of a second of every start otherwise
  }
}

function bind<Piece> (kind: TokenizerKind<Piece>, contract: TextContract, path: string): Tokenizer {
  const around = kind.prefix.length + kind.suffix.length
  if (contract.length <= around) throw new BadManifestError(path, `puts ${around} special tokens around a text, which leaves no room in a length of ${contract.length}`)
  return { encode: texts => encodeTexts(kind, contract, texts) }
}
