import type { TextContract } from '../registry/manifest.ts'
import type { ModelVersion } from '../registry/model-version.ts'
import type { Tokenizer } from '../text/index.ts'

/** The tokenizer of a text model's version, made once and kept as long as the version is. */
export type TokenizerOf = (version: ModelVersion) => Promise<Tokenizer>

/** @param create reads the vocabulary from the version's directory; what it throws is thrown again at every later request */
export function tokenizerCache (create: (contract: TextContract, directory: string) => Promise<Tokenizer>): TokenizerOf {
  const tokenizers = new WeakMap<ModelVersion, Promise<Tokenizer>>()
  return async version => {
    const known = tokenizers.get(version)
    if (known !== undefined) return await known
    const { text } = version.manifest
    if (text === undefined) throw new Error(`Version ${version.version} of ${version.model} has no text contract. This is a bug.`)
    const made = create(text, version.directory)
    tokenizers.set(version, made)
    return await made
  }
}
