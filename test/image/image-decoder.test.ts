import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import sharp, { type Sharp } from 'sharp'
import { ClientClosedError, DeadlineExceededError, TooManyPixelsError, UndecodableImageError, UnsupportedImageError } from '../../src/errors.ts'
import { contractOf, encode, meanDifference, newDecoder, noSharedImages, photo, plain, sharedImage } from '../support/images.ts'

const decoder = newDecoder()
const contract = contractOf({ width: 32, height: 32 })

/** Two frames, the first red, the second blue, one over the other as sharp takes them. */
function frames (): Sharp {
  const data = Buffer.concat([plain(40, 40, 250, 0, 0).data, plain(40, 40, 0, 0, 250).data])
  return sharp(data, { raw: { width: 40, height: 80, channels: 3, pageHeight: 40 } })
}

const encoders = {
  JPEG: async () => await encode(photo(64, 48)).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer(),
  'a progressive JPEG': async () => await encode(photo(64, 48)).jpeg({ quality: 95, chromaSubsampling: '4:4:4', progressive: true }).toBuffer(),
  PNG: async () => await encode(photo(64, 48)).png().toBuffer(),
  'an interlaced PNG': async () => await encode(photo(64, 48)).png({ progressive: true }).toBuffer(),
  WebP: async () => await encode(photo(64, 48)).webp({ quality: 100 }).toBuffer(),
  'a lossless WebP': async () => await encode(photo(64, 48)).webp({ lossless: true }).toBuffer(),
  AVIF: async () => await encode(photo(64, 48)).avif({ quality: 95, effort: 0 }).toBuffer(),
  GIF: async () => await encode(photo(64, 48)).gif().toBuffer(),
  TIFF: async () => await encode(photo(64, 48)).tiff({ compression: 'lzw' }).toBuffer(),
  'a tiled TIFF with JPEG inside': async () => await encode(photo(64, 48)).tiff({ tile: true, compression: 'jpeg', quality: 95 }).toBuffer()
}

for (const [name, make] of Object.entries(encoders)) {
  t.test(`${name} is read`, async t => {
    const expected = await sharp(await encode(photo(64, 48)).png().toBuffer()).resize(32, 32, { fit: 'fill', kernel: 'linear' }).raw().toBuffer()
    const pixels = await decoder.decode(await make(), contract)
    // lossy formats at high quality, and GIF's 256 colours, on a picture full of noise
    t.ok(meanDifference(pixels, expected) < 4, `differs by ${meanDifference(pixels, expected)} on the mean`)
  })
}

for (const [name, make] of Object.entries({
  GIF: () => frames().gif(), WebP: () => frames().webp({ lossless: true }), TIFF: () => frames().tiff({ compression: 'none' })
})) {
  t.test(`of an animated or paged ${name} the first frame is read`, async t => {
    const file = await make().toBuffer()
    t.equal((await sharp(file).metadata()).pages, 2)
    const [red = 0, green = 0, blue = 0] = await decoder.decode(file, contract)
    t.ok(red > 240 && green < 10 && blue < 10, `it is red: ${red} ${green} ${blue}`)
  })

  t.test(`the frames of an animated or paged ${name} count as pixels`, async t => {
    await t.rejects(newDecoder({ maxPixels: 3199 }).decode(await make().toBuffer(), contract), new TooManyPixelsError(3200, 3199))
  })
}

t.test('real animations give their first frame', { skip: noSharedImages }, async t => {
  const gif = await decoder.decode(sharedImage('anim/rotating-squares.gif'), contract)
  const webp = await decoder.decode(sharedImage('anim/rotating-squares.webp'), contract)
  t.ok(meanDifference(gif, webp) < 3, `they differ by ${meanDifference(gif, webp)} on the mean`)
  t.ok(new Set(gif).size > 2, 'there is something to see')
})

t.test('a file is read from where it lies in a larger buffer', async t => {
  const file = await encode(plain(64, 64, 250, 0, 0)).png().toBuffer()
  const around = new Uint8Array(Buffer.concat([Buffer.alloc(5), file, Buffer.alloc(5)]))
  t.strictSame([...(await decoder.decode(around.subarray(5, -5), contract)).subarray(0, 3)], [250, 0, 0])
})

t.test('as many pixels as allowed are read, one more is too many', async t => {
  for (const file of [await encode(plain(40, 25, 9, 9, 9)).png().toBuffer(), await encode(plain(40, 25, 9, 9, 9)).jpeg().toBuffer()]) {
    await newDecoder({ maxPixels: 1000 }).decode(file, contract)
    await t.rejects(newDecoder({ maxPixels: 999 }).decode(file, contract), new TooManyPixelsError(1000, 999))
  }
})

t.test('a header that claims absurd sides is too many pixels, in every format that can claim them', async t => {
  const picture = encode(plain(64, 64, 9, 9, 9))
  const png = await picture.clone().png().toBuffer()
  png.writeUInt32BE(2_147_483_647, 16)
  png.writeUInt32BE(2_147_483_647, 20)
  await t.rejects(decoder.decode(png, contract), { code: 'SERVE_TOO_MANY_PIXELS' })

  const jpeg = await picture.clone().jpeg().toBuffer()
  jpeg.writeUInt32BE(0xffffffff, jpeg.indexOf(Buffer.from([0xff, 0xc0])) + 5)
  await t.rejects(decoder.decode(jpeg, contract), new TooManyPixelsError(65_535 ** 2, 50_000_000))

  const tiff = Buffer.from('MM\0*\0\0\0\x08\0\x02' + '\x01\0\0\x04\0\0\0\x01\x7f\xff\xff\xff' + '\x01\x01\0\x04\0\0\0\x01\x7f\xff\xff\xff', 'latin1')
  await t.rejects(decoder.decode(tiff, contract), { code: 'SERVE_TOO_MANY_PIXELS' })

  const avif = await picture.clone().avif({ effort: 0 }).toBuffer()
  avif.writeUInt32BE(2_147_483_647, avif.indexOf('ispe') + 8)
  await t.rejects(decoder.decode(avif, contract), { code: 'SERVE_TOO_MANY_PIXELS' })
})

t.test('what libvips does not read is refused before it waits for a turn', async t => {
  const busy = newDecoder({ concurrency: 1 })
  const running = busy.decode(await encode(photo(2000, 2000)).png().toBuffer(), contract)
  await t.rejects(busy.decode(Buffer.from('<svg/>'), contract), UnsupportedImageError)
  t.equal(busy.pending, 1)
  await running
})

for (const [name, make] of Object.entries(encoders)) {
  t.test(`${name} cut off in its header or its data is undecodable, and the message says no more than that`, async t => {
    const file = await make()
    const [format] = /JPEG$|PNG|WebP|AVIF|GIF|TIFF/.exec(name.replace(/ with.*/, ''))!
    for (const length of [12, 40, file.length >> 1]) {
      await t.rejects(decoder.decode(file.subarray(0, length), contract), {
        statusCode: 422, message: `The image can not be decoded: the ${format} is broken or cut off`, cause: Error
      }, `after ${length} of ${file.length} bytes`)
    }
  })
}

t.test('rubbish after a format\'s first bytes is undecodable', async t => {
  for (const start of ['\xff\xd8\xff\xe0', 'GIF89a', 'II*\0', 'RIFF\xd0\0\0\0WEBP', '\0\0\0\x10ftypavif\0\0\0\0']) {
    const rubbish = Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(200, 0x5a)])
    await t.rejects(decoder.decode(rubbish, contract), { code: 'SERVE_UNDECODABLE_IMAGE' }, start)
  }
})

/** Files that are broken, named for another format or far too large, and the status of their answer. */
const outcomes: [path: string, outcome: number][] = [
  ['corrupt/gen_bitrot.jpg', 200],
  ['corrupt/gen_trailing_html.jpg', 200],
  ['corrupt/gen_png_named.jpg', 200],
  ['corrupt/gen_empty.jpg', 415],
  ['corrupt/gen_text_named.jpg', 415],
  ['corrupt/gen_half.jpg', 422],
  ['corrupt/gen_header_only.jpg', 422],
  ['corrupt/truncated.jpg', 422],
  ['corrupt/truncated.png', 422],
  ['bomb/gen_30000x30000_1bit.png', 413],
  ['bomb/gen_8000x8000_rgba.png', 413],
  ['bomb/gen_header_2147483647.png', 413]
]

for (const [path, outcome] of outcomes) {
  t.test(`${path} is answered ${outcome}`, { skip: noSharedImages }, async t => {
    const answer = newDecoder({ timeoutMs: 2000 }).decode(sharedImage(path), contract)
    t.equal(await answer.then(() => 200, (error: unknown) => (error as { statusCode?: number }).statusCode), outcome)
  })
}

t.test('never more are decoded at once than there are slots', async t => {
  const narrow = newDecoder({ concurrency: 2 })
  const file = await encode(photo(800, 800)).png().toBuffer()
  const running = Array.from({ length: 12 }, () => narrow.decode(file, contract))
  t.equal(narrow.pending, 12)
  let most = 0
  const watch = setInterval(() => { most = Math.max(most, sharp.counters().process + sharp.counters().queue) }, 1)
  await Promise.all(running)
  clearInterval(watch)
  t.ok(most >= 1 && most <= 2, `${most} pipelines at most`)
  t.equal(narrow.pending, 0)
})

t.test('0 slots means one for each core', async t => {
  const wide = newDecoder({ concurrency: 0 })
  t.equal((await wide.decode(await encode(plain(8, 8, 1, 2, 3)).png().toBuffer(), contract)).length, 32 * 32 * 3)
})

t.test('a client that hangs up in the line frees its place, and its file is not decoded', async t => {
  const narrow = newDecoder({ concurrency: 1 })
  const file = await encode(photo(600, 600)).png().toBuffer()
  const running = narrow.decode(file, contract)
  const client = new AbortController()
  const gone = narrow.decode(file, contract, { signal: client.signal })
  const next = narrow.decode(file, contract)
  client.abort()
  await t.rejects(gone, new ClientClosedError())
  t.equal(narrow.pending, 2)
  await Promise.all([running, next])
})

t.test('a client that hangs up during its decode is let go at once; the slot comes free when the thread does', async t => {
  const narrow = newDecoder({ concurrency: 1 })
  const client = new AbortController()
  const into = new Uint8Array(32 * 32 * 3).fill(7)
  const gone = narrow.decode(await encode(photo(3000, 2000)).png().toBuffer(), contract, { signal: client.signal, into })
  await delay(5)
  client.abort(new DeadlineExceededError(5))
  await t.rejects(gone, new DeadlineExceededError(5))
  t.equal(narrow.pending, 1)
  while (narrow.pending > 0) await delay(5)
  t.ok(into.every(value => value === 7), 'nothing was written')
})

t.test('a decode that takes too long is answered in time, its slot kept until the thread is back', async t => {
  const hasty = newDecoder({ concurrency: 1, timeoutMs: 10 })
  const into = new Uint8Array(32 * 32 * 3).fill(7)
  const file = await encode(photo(4000, 3000)).png({ compressionLevel: 1 }).toBuffer()
  await t.rejects(hasty.decode(file, contract, { into }), new UndecodableImageError('it takes longer than the 10 ms allowed'))
  t.equal(hasty.pending, 1)
  while (hasty.pending > 0) await delay(5)
  t.ok(into.every(value => value === 7), 'nothing was written')
})

t.test('time spent in the line does not count', async t => {
  const patient = newDecoder({ concurrency: 1, timeoutMs: 2000 })
  const file = await encode(plain(500, 500, 1, 2, 3)).png().toBuffer()
  const all = await Promise.allSettled(Array.from({ length: 200 }, () => patient.decode(file, contract)))
  t.ok(all.every(({ status }) => status === 'fulfilled'))
})

t.test('the event loop turns while images are decoded', async t => {
  const file = await encode(photo(2000, 1500)).png({ compressionLevel: 1 }).toBuffer()
  let turns = 0
  const watch = setInterval(() => { turns++ }, 1)
  await Promise.all([decoder.decode(file, contract), decoder.decode(file, contract)])
  clearInterval(watch)
  t.ok(turns >= 3, `${turns} turns`)
})

t.test('500 broken images leave memory as it was', { skip: noSharedImages }, async t => {
  const files = outcomes.map(([path]) => sharedImage(path))
  const round = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 10) {
      await Promise.allSettled(Array.from({ length: 10 }, (_, offset) => decoder.decode(files[(index + offset) % files.length]!, contract)))
    }
  }
  await round(100)
  const before = process.memoryUsage.rss()
  await round(500)
  const grownMib = (process.memoryUsage.rss() - before) / 2 ** 20
  // measured 0–8 MiB; a leak of one decoded photo each would be 340
  t.ok(grownMib < 60, `resident memory grew by ${grownMib.toFixed(1)} MiB`)
})
