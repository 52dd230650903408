import t from 'tap'
import sharp from 'sharp'
import { pixelsToTiff } from '../../src/image/tiff.ts'
import { encode, photo } from '../support/images.ts'

t.test('libvips reads pixels and profile out of the TIFF as they went in', async t => {
  const { data, width, height } = photo(17, 11)
  const { icc } = await sharp(await encode(photo(8, 8)).withIccProfile('p3').jpeg().toBuffer()).metadata()
  const tiff = pixelsToTiff(data, width, height, icc!)
  const metadata = await sharp(tiff).metadata()
  t.match(metadata, { format: 'tiff', width: 17, height: 11, channels: 3, depth: 'uchar', space: 'srgb' })
  t.strictSame(metadata.icc, icc)
  t.strictSame(await sharp(tiff, { ignoreIcc: true }).raw().toBuffer(), data)
})

t.test('a profile of odd length is kept too', async t => {
  const { data, width, height } = photo(3, 2)
  const tiff = pixelsToTiff(data, width, height, new Uint8Array(131))
  t.strictSame(await sharp(tiff, { ignoreIcc: true }).raw().toBuffer(), data)
})
