import t from 'tap'
import { headerSize } from '../../src/image/header-size.ts'
import type { ImageFormat } from '../../src/image/formats.ts'
import { encode, plain } from '../support/images.ts'

const picture = encode(plain(61, 37, 10, 20, 30))
const encoded: [ImageFormat, Buffer][] = [
  ['PNG', await picture.clone().png().toBuffer()],
  ['TIFF', await picture.clone().tiff().toBuffer()],
  ['AVIF', await picture.clone().avif({ effort: 0 }).toBuffer()]
]

for (const [format, file] of encoded) {
  t.test(`reads the sides of a ${format}`, async t => {
    t.strictSame(headerSize(format, file), { width: 61, height: 37 })
  })

  t.test(`tells nothing of a ${format} that is cut off before them`, async t => {
    t.equal(headerSize(format, file.subarray(0, 10)), undefined)
  })
}

t.test('reads a TIFF in the other byte order, with sides of 16 or 32 bits', async t => {
  const file = Buffer.from('MM\0*\0\0\0\x08\0\x02' + '\x01\0\0\x03\0\0\0\x01\x02\x01\0\0' + '\x01\x01\0\x04\0\0\0\x01\x7f\xff\xff\xff', 'latin1')
  t.strictSame(headerSize('TIFF', file), { width: 513, height: 2_147_483_647 })
})

t.test('tells nothing of a BigTIFF, nor of a TIFF without sides', async t => {
  t.equal(headerSize('TIFF', Buffer.from('II+\0\x08\0\0\0', 'latin1')), undefined)
  t.equal(headerSize('TIFF', Buffer.from('II*\0\x08\0\0\0\0\0', 'latin1')), undefined)
})

t.test('takes the largest item of an AVIF', async t => {
  const item = (width: number, height: number): Buffer => {
    const bytes = Buffer.alloc(20)
    bytes.write('ispe', 4)
    bytes.writeUInt32BE(width, 12)
    bytes.writeUInt32BE(height, 16)
    return bytes
  }
  const items = Buffer.concat([item(160, 120), item(4000, 3000), item(512, 512)])
  const meta = Buffer.alloc(8)
  meta.writeUInt32BE(8 + items.length)
  meta.write('meta', 4)
  t.strictSame(headerSize('AVIF', Buffer.concat([meta, items, item(9000, 9000)])), { width: 4000, height: 3000 })
})
