import { TooManyPixelsError } from '../errors.ts'
import { sniffFormat, type ImageFormat } from './formats.ts'
import { headerSize, type Size } from './header-size.ts'
import { isSrgbProfile } from './icc-profile.ts'
import { readJpegHeader, type JpegHeader } from './jpeg-header.ts'
import { turnOf, turnSize, type Turn } from './orientation.ts'
import { sharp } from './sharp.ts'
import { asImageError } from './undecodable.ts'

/** What an image's header says. */
export interface ImageHeader {
  format: ImageFormat
  /** Sides of the first frame in pixels, upright (EXIF orientation applied). */
  size: Size
  /** What the EXIF orientation asks for. */
  turn: Turn
  /** libvips' name for the pixels: `srgb`, `b-w`, `rgb16`, `grey16`, `cmyk`… */
  space: string
  isGrey: boolean
  hasAlpha: boolean
  /** Whether it is a JPEG that one pass over the file decodes: not progressive, its components in one scan. */
  isSinglePass: boolean
  /** How the numbers become sRGB. `none`: they are sRGB already; `small`: by the embedded profile, after the resize; `early`: by libvips, before it. */
  conversion: 'none' | 'small' | 'early'
  /** The embedded colour profile. */
  icc: Uint8Array | undefined
}

/**
 * Reads an image's header; no pixel is decoded, and no memory spent beyond the header's own.
 *
 * @throws UnsupportedImageError if the format is not read here
 * @throws TooManyPixelsError if width × height × frames is above the limit
 * @throws UndecodableImageError if the header is broken
 */
export async function readHeader (bytes: Uint8Array, maxPixels: number): Promise<ImageHeader> {
  const format = sniffFormat(bytes)
  const plain = format === 'JPEG' ? readPlainHeader(bytes, maxPixels) : undefined
  if (plain !== undefined) return plain
  const claimed = headerSize(format, bytes)
  if (claimed !== undefined) checkPixels(claimed.width * claimed.height, maxPixels)
  return headerOf(await describeImage(bytes, format), format, maxPixels)
}

/**
 * Reads a JPEG's header at once, if it is a plain one.
 *
 * @returns undefined for what libvips has to look at
 * @throws TooManyPixelsError as `readHeader`
 */
export function readPlainHeader (bytes: Uint8Array, maxPixels: number): ImageHeader | undefined {
  const description = describeJpeg(bytes)
  return description && headerOf(description, 'JPEG', maxPixels)
}

function headerOf ({ size, turn, space, hasAlpha, isSinglePass, icc, frames }: Description, format: ImageFormat, maxPixels: number): ImageHeader {
  checkPixels(size.width * size.height * frames, maxPixels)
  return { format, size, turn, space, isGrey: GREY_SPACES.includes(space), hasAlpha, isSinglePass, conversion: conversionOf(space, icc), icc }
}

type Description = Pick<ImageHeader, 'size' | 'turn' | 'space' | 'hasAlpha' | 'isSinglePass' | 'icc'> & { frames: number }

function describeJpeg (bytes: Uint8Array): Description | undefined {
  const header = readJpegHeader(bytes)
  const space = header && JPEG_SPACES.get(header.components)
  if (space === undefined) return undefined
  const { width, height, orientation, isSinglePass, icc } = header as JpegHeader
  const turn = turnOf(orientation)
  return { size: turnSize({ width, height }, turn), turn, space, hasAlpha: false, isSinglePass, frames: 1, icc }
}

async function describeImage (bytes: Uint8Array, format: ImageFormat): Promise<Description> {
  const { autoOrient, orientation = 1, pages = 1, space, hasAlpha, icc } = await sharp(bytes, { limitInputPixels: false }).metadata()
    .catch((error: unknown) => { throw asImageError(error, format) })
  return { size: autoOrient, turn: turnOf(orientation), space, hasAlpha, isSinglePass: false, frames: pages, icc }
}

function checkPixels (pixels: number, maxPixels: number): void {
  if (pixels > maxPixels) throw new TooManyPixelsError(pixels, maxPixels)
}

const JPEG_SPACES = new Map([[1, 'b-w'], [3, 'srgb'], [4, 'cmyk']])
const GREY_SPACES = ['b-w', 'grey16']
const RGB_SPACES = ['srgb', 'rgb', 'rgb16']

function conversionOf (space: string, icc: Uint8Array | undefined): ImageHeader['conversion'] {
  if (![...GREY_SPACES, ...RGB_SPACES].includes(space)) return 'early'
  return icc === undefined || isSrgbProfile(icc) ? 'none' : 'small'
}
