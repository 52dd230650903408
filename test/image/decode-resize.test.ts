import t from 'tap'
import sharp from 'sharp'
import { contractOf, encode, largestDifference, meanDifference, newDecoder, noSharedImages, photo, plain, sharedImage, type Pixels } from '../support/images.ts'

const decoder = newDecoder()

/** A resize as textbooks have it: pixel centres at halves, edges repeated, the triangle as wide as a source pixel or, where it shrinks, as a target pixel. */
function resizeByTheBook (picture: Pixels, width: number, height: number, kernel: 'nearest' | 'linear'): number[] {
  const columns = weights(picture.width, width, kernel)
  const rows = weights(picture.height, height, kernel)
  return rows.flatMap(row => columns.flatMap(column => [0, 1, 2].map(channel => {
    return sum(row.map(([y, rowWeight]) => rowWeight * sum(column.map(([x, weight]) => weight * picture.data[(y * picture.width + x) * 3 + channel]!))))
  })))
}

function weights (from: number, to: number, kernel: 'nearest' | 'linear'): [position: number, weight: number][][] {
  const scale = from / to
  return Array.from({ length: to }, (_, index) => {
    if (kernel === 'nearest') return [[Math.floor((index + 0.5) * scale), 1]]
    const centre = (index + 0.5) * scale - 0.5
    const reach = Math.max(1, scale)
    const taps: [number, number][] = []
    for (let position = Math.ceil(centre - reach); position <= centre + reach; position++) {
      taps.push([Math.max(0, Math.min(from - 1, position)), 1 - Math.abs(position - centre) / reach])
    }
    const total = sum(taps.map(([, weight]) => weight))
    return taps.map(([position, weight]) => [position, weight / total])
  })
}

function sum (numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

const sizes: [from: [number, number], to: [number, number], what: string][] = [
  [[8, 8], [8, 8], 'the same size'],
  [[8, 8], [4, 4], 'half'],
  [[16, 16], [5, 5], 'a third and a bit'],
  [[8, 8], [16, 16], 'double'],
  [[7, 5], [10, 12], 'larger by odd factors'],
  [[8, 8], [8, 16], 'taller'],
  [[8, 8], [16, 4], 'wider and lower'],
  [[12, 6], [4, 15], 'narrower and taller']
]

for (const kernel of ['nearest', 'linear'] as const) {
  for (const [[width, height], [toWidth, toHeight], what] of sizes) {
    t.test(`${kernel} to ${what} is what textbooks say`, async t => {
      const picture = photo(width, height)
      const file = await encode(picture).png().toBuffer()
      const pixels = await decoder.decode(file, contractOf({ width: toWidth, height: toHeight, kernel }))
      const expected = resizeByTheBook(picture, toWidth, toHeight, kernel)
      const worst = Math.max(...expected.map((value, index) => Math.abs(value - pixels[index]!)))
      // nearest copies; linear is rounded to 8 bits once for each direction
      t.ok(worst <= (kernel === 'nearest' ? 0 : 1), `differs by ${worst} at most`)
    })
  }
}

for (const kernel of ['nearest', 'linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3'] as const) {
  t.test(`${kernel} is libvips' own where the picture shrinks`, async t => {
    const file = await encode(photo(100, 80)).png().toBuffer()
    const pixels = await decoder.decode(file, contractOf({ width: 30, height: 20, kernel }))
    t.strictSame(Buffer.from(pixels), await sharp(file).resize(30, 20, { fit: 'fill', kernel }).raw().toBuffer())
  })
}

t.test('cover keeps the middle', async t => {
  const file = await encode(photo(200, 100)).png().toBuffer()
  const pixels = await decoder.decode(file, contractOf({ width: 50, height: 50, fit: 'cover' }))
  t.strictSame(Buffer.from(pixels), await sharp(file).resize(50, 50, { fit: 'cover', kernel: 'linear' }).raw().toBuffer())
})

t.test('cover with a crop fraction keeps the middle of a larger one', async t => {
  const file = await encode(photo(200, 100)).png().toBuffer()
  const pixels = await decoder.decode(file, contractOf({ width: 28, height: 28, fit: 'cover', cropFraction: 0.875 }))
  const whole = sharp(await sharp(file).resize(64, 32, { fit: 'fill', kernel: 'linear' }).png().toBuffer())
  t.strictSame(Buffer.from(pixels), await whole.extract({ left: 18, top: 2, width: 28, height: 28 }).raw().toBuffer())
})

t.test('cover enlarges what is too small', async t => {
  const file = await encode(plain(10, 5, 1, 2, 3)).png().toBuffer()
  t.strictSame(await decoder.decode(file, contractOf({ width: 3, height: 9, fit: 'cover' })), new Uint8Array(plain(3, 9, 1, 2, 3).data))
})

t.test('contain pads what is left', async t => {
  const file = await encode(photo(200, 100)).png().toBuffer()
  const pixels = await decoder.decode(file, contractOf({ width: 50, height: 50, fit: 'contain', background: [7, 8, 9] }))
  const padded = sharp(file).resize(50, 50, { fit: 'contain', kernel: 'linear', background: { r: 7, g: 8, b: 9 } })
  t.strictSame(Buffer.from(pixels), await padded.raw().toBuffer())
})

t.test('contain enlarges what is too small, and pads in colour around grey', async t => {
  const file = await encode(plain(2, 1, 50)).png().toBuffer()
  const pixels = await decoder.decode(file, contractOf({ width: 4, height: 4, fit: 'contain', background: [7, 8, 9] }))
  const rows = [plain(4, 1, 7, 8, 9), plain(4, 2, 50, 50, 50), plain(4, 1, 7, 8, 9)].map(({ data }) => data)
  t.strictSame(pixels, new Uint8Array(Buffer.concat(rows)))
})

t.test('a line of pixels is no bomb: only what is kept is ever computed', async t => {
  const file = await encode(plain(30_000, 2, 1, 2, 3)).png().toBuffer()
  const pixels = await decoder.decode(file, contractOf({ width: 224, height: 224, fit: 'cover' }))
  t.strictSame(pixels, new Uint8Array(plain(224, 224, 1, 2, 3).data))
})

t.test('a row is written into its place in a batch, and nothing beside it', async t => {
  const batch = new Uint8Array(3 * 4 * 4 * 3).fill(77)
  const row = batch.subarray(48, 96)
  const file = await encode(plain(8, 8, 1, 2, 3)).png().toBuffer()
  t.equal(await decoder.decode(file, contractOf({ width: 4, height: 4 }), { into: row }), row)
  t.strictSame(Buffer.from(batch), Buffer.concat([Buffer.alloc(48, 77), plain(4, 4, 1, 2, 3).data, Buffer.alloc(48, 77)]))
})

t.test('a place of the wrong size is a bug', async t => {
  const file = await encode(plain(8, 8, 1, 2, 3)).png().toBuffer()
  await t.rejects(decoder.decode(file, contractOf({ width: 4, height: 4 }), { into: new Uint8Array(47) }), { message: /48 bytes but received 47/ })
})

t.test('a large JPEG decoded small stays near the fully decoded one', async t => {
  for (const kernel of ['linear', 'cubic', 'lanczos3'] as const) {
    const file = await encode(photo(640, 427)).blur(1).jpeg({ quality: 90 }).toBuffer()
    const pixels = await decoder.decode(file, contractOf({ width: 32, height: 32, kernel }))
    const full = await sharp(await sharp(file).png().toBuffer()).resize(32, 32, { fit: 'fill', kernel }).raw().toBuffer()
    t.ok(meanDifference(pixels, full) < 2, `${kernel} differs by ${meanDifference(pixels, full)} on the mean`)
  }
})

t.test('a real photo decoded small stays near the fully decoded one', { skip: noSharedImages }, async t => {
  const file = sharedImage('exif/Landscape_1.jpg') // leaves, water: the hard case
  for (const side of [16, 32, 64]) {
    const pixels = await decoder.decode(file, contractOf({ width: side, height: side }))
    const full = await sharp(await sharp(file).png().toBuffer()).resize(side, side, { fit: 'fill', kernel: 'linear' }).raw().toBuffer()
    t.ok(meanDifference(pixels, full) < 3, `to ${side} differs by ${meanDifference(pixels, full)} on the mean`)
  }
})

t.test('nearest never decodes a JPEG small: it picks the same pixels as from the fully decoded one', async t => {
  for (const picture of [photo(320, 320), plain(320, 320, 90)]) {
    const file = await encode(picture).jpeg({ quality: 90 }).toBuffer()
    const pixels = await decoder.decode(file, contractOf({ width: 16, height: 16, kernel: 'nearest' }))
    const full = await sharp(await sharp(file).png().toBuffer()).resize(16, 16, { fit: 'fill', kernel: 'nearest' }).toColourspace('srgb').raw().toBuffer()
    t.strictSame(Buffer.from(pixels), full)
  }
})

t.test('WebP keeps the contract\'s kernel', async t => {
  const file = await encode(photo(320, 320)).webp({ quality: 90 }).toBuffer()
  const pixels = await decoder.decode(file, contractOf({ width: 32, height: 32 }))
  const full = await sharp(await sharp(file).png().toBuffer()).resize(32, 32, { fit: 'fill', kernel: 'linear' }).raw().toBuffer()
  t.ok(largestDifference(pixels, full) <= 1, `differs by ${largestDifference(pixels, full)} at most`)
})

const upright = photo(60, 40)

/** Where the upright picture's pixel (x, y) is stored in a file of an EXIF orientation. @see CIPA DC-008 4.6.4 */
const stored: Record<number, (x: number, y: number) => [number, number]> = {
  1: (x, y) => [x, y],
  2: (x, y) => [59 - x, y],
  3: (x, y) => [59 - x, 39 - y],
  4: (x, y) => [x, 39 - y],
  5: (x, y) => [y, x],
  6: (x, y) => [y, 59 - x],
  7: (x, y) => [39 - y, 59 - x],
  8: (x, y) => [39 - y, x]
}

async function turned (orientation: number): Promise<Buffer> {
  const [width, height] = orientation < 5 ? [60, 40] : [40, 60]
  const data = Buffer.alloc(60 * 40 * 3)
  for (let y = 0; y < 40; y++) {
    for (let x = 0; x < 60; x++) {
      const [column, row] = stored[orientation]!(x, y)
      upright.data.copy(data, (row * width + column) * 3, (y * 60 + x) * 3, (y * 60 + x) * 3 + 3)
    }
  }
  return await encode({ data, width, height, channels: 3 }).withMetadata({ orientation }).png().toBuffer()
}

for (let orientation = 1; orientation <= 8; orientation++) {
  t.test(`EXIF orientation ${orientation} is turned upright, before every fit`, async t => {
    const file = await turned(orientation)
    const same = await decoder.decode(file, contractOf({ width: 60, height: 40 }))
    t.strictSame(Buffer.from(same), upright.data, 'in its own size')
    const reference = await encode(upright).png().toBuffer()
    for (const changes of [{ width: 20, height: 10 }, { width: 15, height: 15, fit: 'cover' }, { width: 15, height: 15, fit: 'contain' }, { width: 90, height: 70 }, { width: 30, height: 100 }] as const) {
      const pixels = await decoder.decode(file, contractOf(changes))
      const expected = await decoder.decode(reference, contractOf(changes))
      // the kernel runs over the stored rows, its 8-bit rounding in another order: a step or two
      t.ok(largestDifference(pixels, expected) <= 2, `${JSON.stringify(changes)} differs by ${largestDifference(pixels, expected)} at most`)
    }
  })
}

t.test('a camera\'s eight turned copies agree with the upright one', { skip: noSharedImages }, async t => {
  const reference = await decoder.decode(sharedImage('exif/Landscape_1.jpg'), contractOf({ width: 224, height: 224 }))
  for (let orientation = 2; orientation <= 8; orientation++) {
    const pixels = await decoder.decode(sharedImage(`exif/Landscape_${orientation}.jpg`), contractOf({ width: 224, height: 224 }))
    // they were compressed anew, in another colour space, and carry their number and labels: measured 2.9 to 3.4; a wrong turn gives over 40
    t.ok(meanDifference(pixels, reference) < 5, `orientation ${orientation} differs by ${meanDifference(pixels, reference)} on the mean`)
  }
})
