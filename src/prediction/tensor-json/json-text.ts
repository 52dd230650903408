import { randomUUID } from 'node:crypto'
import { isUtf8 } from 'node:buffer'
import { parse as parseLossless } from 'lossless-json'
import { BadRequestError } from '../../errors.ts'
import type { Pieces } from './in-turns.ts'

/**
 * TensorFlow Serving reads the bare words NaN, Infinity and -Infinity as numbers; JSON knows none of them. They are parsed as strings
 * that no client can send, since they hold a number made up for this process.
 */
const NONCE = randomUUID()
const NON_FINITE: ReadonlyMap<string, number> = new Map(
  [NaN, Infinity, -Infinity].map(value => [nonFiniteValue(value), value]))

/** The number behind a value that stood in the text as a bare NaN, Infinity or -Infinity. */
export function nonFiniteNumber (value: unknown): number | undefined {
  return typeof value === 'string' ? NON_FINITE.get(value) : undefined
}

/** The value that stands for a bare NaN, Infinity or -Infinity. */
export function nonFiniteValue (number: number): string {
  return `${number} ${NONCE}`
}

/**
 * In one piece: 32 MiB take 2 to 6 ms.
 *
 * @throws BadRequestError if the bytes are none or not UTF-8
 */
export function checkText (body: Uint8Array): void {
  if (body.byteLength === 0) throw new BadRequestError('The body is empty')
  if (!isUtf8(body)) throw new BadRequestError('The body is not UTF-8')
}

/** @throws BadRequestError if the bytes are none or not UTF-8 */
export function decodeText (body: Uint8Array): string {
  checkText(body)
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
}

/** Bytes that are decoded at a stretch. */
const PIECE_BYTES = 65_536

/** The same in pieces. */
export function * decodeTextInPieces (body: Uint8Array): Pieces<string> {
  checkText(body)
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const pieces: string[] = []
  for (let at = 0; at < bytes.length;) {
    if (at > 0) yield
    let end = Math.min(at + PIECE_BYTES, bytes.length)
    while (end < bytes.length && isContinuation(bytes[end]!)) end++
    pieces.push(bytes.toString('utf8', at, end))
    at = end
  }
  return pieces.join('')
}

/** Whether a byte of UTF-8 goes on with a character. */
export function isContinuation (byte: number): boolean {
  return (byte & 0xc0) === 0x80
}

/**
 * Parses JSON, NaN and infinities included (@see nonFiniteNumber). Integers beyond 2^53 are rounded.
 *
 * @throws BadRequestError with the parser's reason
 */
export function parseJson (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) throw new BadRequestError(`The body is not JSON: ${(error as Error).message}`)
    return attempt(() => JSON.parse(quoteNonFinite(text)))
  }
}

/** As `parseJson`, but integers of 16 digits and more come as bigint: three times as slow. */
export function parseJsonExactly (text: string): unknown {
  return attempt(() => parseLossless(quoteNonFinite(text), undefined, toNumber))
}

/** Whether the text may hold an integer that float64 can't. */
export function mayHoldLargeIntegers (text: string): boolean {
  return /\d{16}/.test(text)
}

function toNumber (token: string): number | bigint {
  return token.length >= 16 && /^-?\d+$/.test(token) ? BigInt(token) : Number(token)
}

function attempt (parse: () => unknown): unknown {
  try {
    return parse()
  } catch (error) {
    const reason = error instanceof RangeError ? 'it is nested too deeply' : (error as Error).message.replaceAll(` ${NONCE}`, '')
    throw new BadRequestError(`The body is not JSON: ${reason}`)
  }
}

/** Puts the bare words into quotes, strings left alone. One pass, no backtracking. */
function quoteNonFinite (text: string): string {
  const tokens = /"|NaN|-?Infinity/g
  const parts: string[] = []
  let copied = 0
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    if (match[0] === '"') {
      tokens.lastIndex = endOfString(text, match.index + 1)
      continue
    }
    parts.push(text.slice(copied, match.index), `"${match[0]} ${NONCE}"`)
    copied = tokens.lastIndex
  }
  return parts.join('') + text.slice(copied)
}

/** The place after the quote that ends a string; the text's end where none does. */
function endOfString (text: string, start: number): number {
  let quote = text.indexOf('"', start)
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1)
  return quote === -1 ? text.length : quote + 1
}

function isEscaped (text: string, index: number): boolean {
  let backslashes = 0
  while (text[index - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}
