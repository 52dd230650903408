import { BACKSLASH, QUOTE, unexpected, type Cursor } from './cursor.ts'
import { isContinuation } from './json-text.ts'

/** Bytes of a string that are read at a stretch: what takes well under a millisecond. */
const PIECE_BYTES = 65_536

/**
 * Reads the JSON string at the cursor; yields between pieces of a long one.
 *
 * @returns its pieces: one for any but a long string, none cut inside a character
 * @throws UnexpectedError
 */
export function * readStringPieces (cursor: Cursor): Generator<void, string[], void> {
  cursor.expect(QUOTE)
  const pieces = [readPiece(cursor)]
  while (cursor.bytes[cursor.at] !== QUOTE) {
    yield
    pieces.push(readPiece(cursor))
  }
  cursor.at++
  return pieces
}

/**
 * Reads a JSON string that is expected to be short, as keys are.
 *
 * @throws UnexpectedError also if it is over 65536 bytes long
 */
export function readShortString (cursor: Cursor): string {
  cursor.expect(QUOTE)
  const text = readPiece(cursor)
  if (cursor.bytes[cursor.at] !== QUOTE) unexpected()
  cursor.at++
  return text
}

function readPiece (cursor: Cursor): string {
  const { bytes, at } = cursor
  const end = endOfPiece(bytes, at)
  cursor.at = end
  return unescape(bytes.toString('utf8', at, end))
}

/** @returns the place of the closing quote, or one some bytes further on than `PIECE_BYTES` where the string can be cut */
function endOfPiece (bytes: Buffer, start: number): number {
  let at = start
  let canCut = true
  for (;;) {
    const byte = bytes[at]
    if (byte === undefined || byte < 0x20) unexpected()
    if (byte === QUOTE || (at - start >= PIECE_BYTES && canCut && !isContinuation(byte))) return at
    if (byte === BACKSLASH) {
      canCut = !isHighSurrogate(bytes, at)
      at += bytes[at + 1] === 0x75 ? 6 : 2
    } else {
      canCut = true
      at++
    }
  }
}

/** Whether an escape is \uD800 to \uDBFF, whose other half follows. */
function isHighSurrogate (bytes: Buffer, backslash: number): boolean {
  return /^\\u[dD][89abAB]/.test(bytes.toString('latin1', backslash, backslash + 4))
}

function unescape (text: string): string {
  if (!text.includes('\\')) return text
  try {
    return JSON.parse(`"${text}"`) as string
  } catch {
    return unexpected()
  }
}
