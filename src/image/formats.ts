import { UnsupportedImageError } from '../errors.ts'
import { sharp } from './sharp.ts'

/** sharp's own name for the loader of each format that can be read here. */
const LOADERS = { JPEG: 'jpeg', PNG: 'png', WebP: 'webp', AVIF: 'heif', GIF: 'gif', TIFF: 'tiff' } as const

export type ImageFormat = keyof typeof LOADERS

const readable = (Object.keys(LOADERS) as ImageFormat[]).filter(format => sharp.format[LOADERS[format]].input.buffer)

/** The formats that this machine's sharp reads, by the names that error messages use. */
export function readableFormats (): ImageFormat[] {
  return [...readable]
}

/** The versions of sharp, libvips (`vips`) and the libraries inside, by name. */
export function sharpVersions (): Record<string, string> {
  return Object.fromEntries(Object.entries(sharp.versions).map(([name, version]) => [name, version ?? 'unknown']))
}

/**
 * Tells an image's format from its first bytes; nothing is decoded and the file's name or Content-Type counts for nothing.
 *
 * @throws UnsupportedImageError if the bytes are of another format, of none, or of one that this machine's sharp can't read;
 *   the message says what they look like
 */
export function sniffFormat (bytes: Uint8Array): ImageFormat {
  const found = nameOf(bytes)
  const format = readable.find(name => name === found)
  if (format === undefined) throw new UnsupportedImageError(found, readable.join(', '))
  return format
}

/** First bytes as Latin-1 text, what they are the first bytes of, and where they stand if not at the start. */
const SIGNATURES: [magic: string, name: string, offset?: number][] = [
  ['\x89PNG\r\n\x1a\n', 'PNG'],
  ['GIF87a', 'GIF'],
  ['GIF89a', 'GIF'],
  ['WEBP', 'WebP', 8],
  ['II*\0', 'TIFF'],
  ['MM\0*', 'TIFF'],
  ['II+\0', 'TIFF'],
  ['MM\0+', 'TIFF'],
  ['\xff\x0a', 'a JPEG XL image'],
  ['\0\0\0\x0cJXL ', 'a JPEG XL image'],
  ['\0\0\0\x0cjP  ', 'a JPEG 2000 image'],
  ['\xff\x4f\xff\x51', 'a JPEG 2000 image'],
  ['BM', 'a BMP image'],
  ['\0\0\x01\0', 'an icon (ICO)'],
  ['8BPS', 'a Photoshop file (PSD)'],
  ['\x76\x2f\x31\x01', 'an OpenEXR image'],
  ['%PDF', 'a PDF document'],
  ['%!PS', 'a PostScript document'],
  ['AVI ', 'a video (AVI)', 8],
  ['WAVE', 'a sound (WAV)', 8],
  ['\x1a\x45\xdf\xa3', 'a video (Matroska or WebM)'],
  ['\0\0\x01\xba', 'a video (MPEG)'],
  ['\0\0\x01\xb3', 'a video (MPEG)'],
  ['PK\x03\x04', 'a ZIP archive'],
  ['\x1f\x8b', 'a gzip archive']
]

function nameOf (bytes: Uint8Array): string {
  if (bytes.length === 0) return 'empty'
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return 'JPEG' // most are, and need no text made of them
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024)).toString('latin1')
  if (head.startsWith('ftyp', 4)) return nameOfBrands(head)
  const signature = SIGNATURES.find(([magic, , offset = 0]) => head.startsWith(magic, offset))
  return signature?.[1] ?? nameOfText(head)
}

/** @param head an ISO media file's start: size, `ftyp`, the major brand, a version and the compatible brands, four bytes each */
function nameOfBrands (head: string): string {
  const boxSize = head.charCodeAt(2) * 256 + head.charCodeAt(3)
  const [major = '', , ...compatible] = head.slice(8, boxSize).match(/[^]{4}/g) ?? []
  const isHeic = /^he[iv][cxms]$/.test(major)
  if (!isHeic && [major, ...compatible].some(brand => brand === 'avif' || brand === 'avis')) return 'AVIF'
  if (isHeic || major === 'mif1' || major === 'msf1') return 'a HEIC or HEIF image'
  if (major === 'crx ') return 'a raw photo (CR3)'
  return 'a video (MP4 or QuickTime)'
}

function nameOfText (head: string): string {
  const text = head.replace(/^\xef\xbb\xbf/, '').trimStart().toLowerCase()
  if (/<svg[\s>]/.test(text)) return 'an SVG drawing'
  if (text.startsWith('<!doctype html') || text.startsWith('<html')) return 'an HTML page'
  const isText = /^[\t\n\f\r\x20-\x7e\x80-\xff]{2,}$/.test(head)
  return isText ? 'text' : 'of an unknown format'
}
