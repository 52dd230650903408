import t from 'tap'
import sharp from 'sharp'
import { readJpegHeader } from '../../src/image/jpeg-header.ts'
import { encode, noSharedImages, photo, plain, sharedImage } from '../support/images.ts'

t.test('tells sides, components, orientation and profile as libvips does', async t => {
  const file = await encode(photo(61, 37)).withMetadata({ orientation: 6 }).withIccProfile('p3').jpeg().toBuffer()
  const { icc } = await sharp(file).metadata()
  t.strictSame(readJpegHeader(file), { width: 61, height: 37, components: 3, isSinglePass: true, orientation: 6, icc })
})

t.test('a grey JPEG has one component, a CMYK one four', async t => {
  const grey = await encode(plain(8, 8, 90)).jpeg().toBuffer()
  const cmyk = await encode(plain(8, 8, 90, 80, 70)).toColourspace('cmyk').jpeg().toBuffer()
  t.match(readJpegHeader(grey), { components: 1, orientation: 1, icc: undefined })
  t.match(readJpegHeader(cmyk), { components: 4 })
})

t.test('a progressive JPEG is read the same, and takes more than one pass', async t => {
  t.match(readJpegHeader(await encode(photo(61, 37)).jpeg({ progressive: true }).toBuffer()), { width: 61, height: 37, isSinglePass: false })
})

t.test('a first scan that lacks a component means more than one pass', async t => {
  const file = await encode(photo(61, 37)).jpeg().toBuffer()
  file[file.indexOf(Buffer.from([0xff, 0xda])) + 4] = 1
  t.match(readJpegHeader(file), { components: 3, isSinglePass: false })
})

t.test('a profile in several segments is joined', { skip: noSharedImages }, async t => {
  const file = sharedImage('jpeg/Channel_digital_image_CMYK_color.jpg')
  const { icc } = await sharp(file).metadata()
  t.equal(icc!.length, 557_168)
  t.strictSame(readJpegHeader(file)!.icc, icc)
})

t.test('real photos are read as libvips reads them', { skip: noSharedImages }, async t => {
  for (const path of ['exif/Landscape_1.jpg', 'exif/Landscape_3.jpg', 'exif/Landscape_8.jpg', 'jpeg/concert.jpg', 'jpeg/gen_macaque_progressive.jpg']) {
    const { width, height, channels, isProgressive, orientation = 1, icc } = await sharp(sharedImage(path)).metadata()
    t.strictSame(readJpegHeader(sharedImage(path)), { width, height, components: channels, isSinglePass: !isProgressive, orientation, icc }, path)
  }
})

t.test('fill bytes between segments are passed over', async t => {
  const file = await encode(plain(16, 8, 1, 2, 3)).jpeg().toBuffer()
  const filled = Buffer.concat([file.subarray(0, 2), Buffer.from([0xff, 0xff, 0xff]), file.subarray(2)])
  t.match(readJpegHeader(filled), { width: 16, height: 8 })
})

t.test('a header cut off anywhere is left to libvips', async t => {
  const file = await encode(plain(8, 8, 1, 2, 3)).withMetadata({ orientation: 3 }).jpeg().toBuffer()
  const scan = file.indexOf(Buffer.from([0xff, 0xda]))
  const read = Array.from({ length: scan }, (_, length) => readJpegHeader(file.subarray(0, length)))
  t.strictSame(new Set(read), new Set([undefined]))
})

t.test('rubbish between segments is left to libvips', async t => {
  const file = await encode(plain(8, 8, 1, 2, 3)).jpeg().toBuffer()
  t.equal(readJpegHeader(Buffer.concat([file.subarray(0, 2), Buffer.from([0]), file.subarray(2)])), undefined)
})
