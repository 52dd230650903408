/**
 * Decodes base64 strictly: the standard alphabet, padded or not, nothing else (`Buffer.from` skips what it does not know).
 *
 * @returns undefined where the text is not base64
 */
export function decodeBase64 (text: string): Buffer | undefined {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const digits = text.length - padding
  if (padding > 0 && text.length % 4 !== 0) return undefined
  if (digits % 4 === 1 || /[^A-Za-z0-9+/]/.test(padding === 0 ? text : text.slice(0, digits))) return undefined
  return Buffer.from(text, 'base64')
}
