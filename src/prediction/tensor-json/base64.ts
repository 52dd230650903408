import { atOnce, type Pieces } from './in-turns.ts'

/** Digits that are decoded at a stretch: whole groups of four. */
const PIECE = 65_536

/**
 * Decodes base64 strictly: the standard alphabet, padded or not, nothing else (`Buffer.from` skips what it does not know).
 *
 * @returns undefined where the text is not base64
 */
export function decodeBase64 (text: string): Buffer | undefined {
  return atOnce(decodeBase64InPieces(text))
}

/** The same in pieces. */
export function * decodeBase64InPieces (text: string): Pieces<Buffer | undefined> {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const digits = text.length - padding
  if (digits % 4 === 1 || (padding > 0 && text.length % 4 !== 0)) return undefined
  const bytes = Buffer.allocUnsafe(Math.floor(digits * 3 / 4))
  let size = 0
  for (let at = 0; at < digits; at += PIECE) {
    if (at > 0) yield
    const piece = text.slice(at, Math.min(at + PIECE, digits))
    if (/[^A-Za-z0-9+/]/.test(piece)) return undefined
    size += bytes.write(piece, size, 'base64')
  }
  return bytes
}
