import t from 'tap'
import { UnsupportedImageError } from '../../src/errors.ts'
import { sniffFormat } from '../../src/image/formats.ts'
import { readableFormats, sharpVersions } from '../../src/image/index.ts'
import { encode, plain } from '../support/images.ts'

const red = plain(8, 8, 255, 0, 0)
const encoded = {
  JPEG: await encode(red).jpeg().toBuffer(),
  PNG: await encode(red).png().toBuffer(),
  WebP: await encode(red).webp().toBuffer(),
  AVIF: await encode(red).avif({ effort: 0 }).toBuffer(),
  GIF: await encode(red).gif().toBuffer(),
  TIFF: await encode(red).tiff().toBuffer()
}

function brands (major: string, ...compatible: string[]): Buffer {
  const text = `ftyp${major}\0\0\0\0${compatible.join('')}`
  return Buffer.concat([Buffer.from([0, 0, 0, 4 + text.length]), Buffer.from(text, 'latin1'), Buffer.alloc(100)])
}

const refused: [what: string, bytes: Buffer | string, found: string][] = [
  ['nothing at all', '', 'empty'],
  ['a HEIC photo', brands('heic', 'mif1', 'heic'), 'a HEIC or HEIF image'],
  ['a HEIF image that is no AVIF', brands('mif1', 'mif1', 'miaf'), 'a HEIC or HEIF image'],
  ['a HEIC photo that also claims AVIF', brands('heix', 'avif'), 'a HEIC or HEIF image'],
  ['an MP4 video', brands('isom', 'iso2', 'mp41'), 'a video (MP4 or QuickTime)'],
  ['a QuickTime video', brands('qt  '), 'a video (MP4 or QuickTime)'],
  ['a Canon raw photo', brands('crx ', 'crx '), 'a raw photo (CR3)'],
  ['an SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'an SVG drawing'],
  ['an SVG after an XML declaration and a comment', '\xef\xbb\xbf<?xml version="1.0"?>\n<!-- by hand -->\n<svg width="9">', 'an SVG drawing'],
  ['a PDF', '%PDF-1.7\n', 'a PDF document'],
  ['a BMP', 'BM\x36\0\0\0', 'a BMP image'],
  ['a bare JPEG XL', '\xff\x0a\xfa', 'a JPEG XL image'],
  ['a boxed JPEG XL', '\0\0\0\x0cJXL \r\n\x87\n', 'a JPEG XL image'],
  ['a JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n', 'a JPEG 2000 image'],
  ['a JPEG 2000 stream', '\xff\x4f\xff\x51\0', 'a JPEG 2000 image'],
  ['an icon', '\0\0\x01\0\x01\0', 'an icon (ICO)'],
  ['a Photoshop file', '8BPS\0\x01', 'a Photoshop file (PSD)'],
  ['an OpenEXR image', '\x76\x2f\x31\x01\x02', 'an OpenEXR image'],
  ['a Matroska video', '\x1a\x45\xdf\xa3', 'a video (Matroska or WebM)'],
  ['an AVI video', 'RIFF\x10\0\0\0AVI LIST', 'a video (AVI)'],
  ['a ZIP archive', 'PK\x03\x04\x14', 'a ZIP archive'],
  ['an HTML page', '\n<!DOCTYPE html><html>', 'an HTML page'],
  ['JSON', '{"image": "…"}', 'text'],
  ['random bytes', '\x07\x01\x92\xfe\0\0', 'of an unknown format'],
  ['one byte', '\xff', 'of an unknown format']
]

t.test('every format that is promised can be read here', async t => {
  t.strictSame(readableFormats(), ['JPEG', 'PNG', 'WebP', 'AVIF', 'GIF', 'TIFF'])
})

t.test('the list of formats is the caller\'s own copy', async t => {
  readableFormats().pop()
  t.equal(readableFormats().length, 6)
})

for (const [format, bytes] of Object.entries(encoded)) {
  t.test(`${format} is told by its bytes`, async t => {
    t.equal(sniffFormat(bytes), format)
  })
}

t.test('AVIF is told where only a compatible brand names it, and as a sequence', async t => {
  t.equal(sniffFormat(brands('mif1', 'mif1', 'avif', 'miaf')), 'AVIF')
  t.equal(sniffFormat(brands('avis', 'avis', 'msf1')), 'AVIF')
})

t.test('TIFF is told in both byte orders and as BigTIFF', async t => {
  for (const start of ['II*\0', 'MM\0*', 'II+\0', 'MM\0+']) t.equal(sniffFormat(Buffer.from(start, 'latin1')), 'TIFF')
})

for (const [what, bytes, found] of refused) {
  t.test(`${what} is refused with what it is`, async t => {
    const file = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
    t.throws(() => sniffFormat(file), new UnsupportedImageError(found, 'JPEG, PNG, WebP, AVIF, GIF, TIFF'))
  })
}

t.test('bytes that lie in the middle of a larger buffer are told by their own start', async t => {
  const around = Buffer.concat([Buffer.from('%PDF'), encoded.PNG])
  t.equal(sniffFormat(around.subarray(4)), 'PNG')
})

t.test('the versions of sharp and libvips are told', async t => {
  t.match(sharpVersions(), { sharp: /^\d+\.\d+\.\d+$/, vips: /^\d+\.\d+\.\d+$/ })
})
