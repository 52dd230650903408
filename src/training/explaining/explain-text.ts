import { BadOptionError } from '../../errors.ts'
import { createTextPredictor } from '../../prediction/predict-text.ts'
import { tokenizerCache } from '../../prediction/tokenizers.ts'
import { Trace } from '../../prediction/trace.ts'
import { createTokenizer } from '../../text/index.ts'
import type { ServedAlone } from './served-alone.ts'
import type { Subject } from './subject.ts'

/** A text's features: its words. Those that are not there are left out. @throws BadOptionError for a text without words */
export function textSubject ({ version, models }: ServedAlone, text: string): Subject {
  const words = text.split(/\s+/).filter(word => word !== '')
  if (words.length === 0) throw new BadOptionError('The text has no words')
  const predict = createTextPredictor({
    models,
    tokenizerOf: tokenizerCache(createTokenizer),
    fallback: { task: 'text-classification', configured: version.model, wellKnown: version.model }
  })
  return {
    features: words,
    predict: async rows => await predict({
      texts: rows.map(present => words.filter((_, index) => present[index] === 1).join(' ')),
      model: version.model,
      version: undefined,
      topK: 1,
      signal: new AbortController().signal,
      trace: new Trace(0)
    })
  }
}
