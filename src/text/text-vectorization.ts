import type { TokenizerKind } from './encode.ts'
import { isAsciiSpace, isHighSurrogate, type Slicing } from './slices.ts'
import { runs, splitText, type SplitOptions } from './split-text.ts'

const PADDING = 0
const UNKNOWN = 1

const SLICE_LENGTH = 8192

const SLICING: Record<SplitOptions['split'], Slicing | undefined> = {
  whitespace: { length: SLICE_LENGTH, canCut: before => isAsciiSpace(before), overlong: 'skip' },
  character: { length: SLICE_LENGTH, canCut: before => !isHighSurrogate(before), overlong: 'cut' },
  none: undefined
}

/** Keras's `TextVectorization` with `output_mode='int'`. @param vocabulary token → number, from 2 on */
export function textVectorization (options: SplitOptions, vocabulary: ReadonlyMap<string, number>): TokenizerKind<string> {
  const ngrams = options.ngrams ?? 1
  return {
    slicing: SLICING[options.split],
    prefix: [],
    suffix: [],
    padding: PADDING,
    ngrams,
    split: slice => splitText(slice, options),
    isUnknown: token => !vocabulary.has(token),
    number: tokens => runs(tokens, ngrams).map(token => vocabulary.get(token) ?? UNKNOWN)
  }
}
