export type { EncodedTexts } from './encode.ts'
export { createTokenizer, type Tokenizer } from './tokenizer.ts'
export { buildVocabulary, formatVocabulary } from './vocabulary.ts'
export { inLengthBuckets, type LengthBucket } from './length-buckets.ts'
