import t from 'tap'
import sharp from 'sharp'
import { pixelsToPng } from '../../src/image/index.ts'
import { photo } from '../support/images.ts'

t.test('RGB pixels come back from the PNG as they were', async t => {
  const { data } = photo(17, 11)
  const png = await pixelsToPng(data, 17, 11, 3)
  t.match(await sharp(png).metadata(), { format: 'png', width: 17, height: 11, channels: 3 })
  t.strictSame(await sharp(png).raw().toBuffer(), data)
})

t.test('grey pixels come back from a grey PNG as they were', async t => {
  const data = Buffer.from(Array.from({ length: 256 }, (_, value) => value))
  const png = await pixelsToPng(data, 32, 8, 1)
  t.match(await sharp(png).metadata(), { format: 'png', width: 32, height: 8, channels: 1 })
  t.strictSame(await sharp(png).toColourspace('b-w').raw().toBuffer(), data)
})
