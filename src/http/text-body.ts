import { BadRequestError, TooManyRowsError } from '../errors.ts'
import { inTurns } from '../prediction/tensor-json/in-turns.ts'
import { decodeTextInPieces } from '../prediction/tensor-json/json-text.ts'
import { onlyField } from './json-body.ts'

export interface TextBody {
  readonly texts: string[]
  /** The client gave a list: the reply is a list too. */
  readonly isList: boolean
}

export interface TextBodyLimits {
  readonly maxRows: number
}

/**
 * The texts of a request: `{"text": "…"}`, `{"text": ["…", …]}`, the bytes of a plain text, or the query's `text` without a body.
 *
 * @param body parsed JSON, bytes, or undefined
 * @throws BadRequestError, TooManyRowsError
 */
export async function readTexts (body: unknown, queryText: string | undefined, { maxRows }: TextBodyLimits): Promise<TextBody> {
  if (Buffer.isBuffer(body)) return { texts: [await inTurns(decodeTextInPieces(body))], isList: false }
  if (body === undefined) return readQuery(queryText)
  const { value } = onlyField(body, ['text'])
  if (typeof value === 'string') return { texts: [value], isList: false }
  if (!Array.isArray(value) || value.length === 0) throw new BadRequestError('"text" is neither a string nor a list of at least one')
  if (value.length > maxRows) throw new TooManyRowsError(value.length, maxRows)
  const odd = value.findIndex(text => typeof text !== 'string')
  if (odd !== -1) throw new BadRequestError(`"text"[${odd}] is not a string`)
  return { texts: value as string[], isList: true }
}

function readQuery (text: string | undefined): TextBody {
  if (text === undefined) throw new BadRequestError('There is no body; send {"text": "…"}')
  return { texts: [text], isList: false }
}
