import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import sharp from 'sharp'
import type { ImageContract } from '../../src/registry/manifest.ts'
import { ADOBE_RGB_COLORANTS, iccProfile, SRGB_COLORANTS, srgbTable } from '../support/icc-profiles.ts'
import { contractOf, encode, largestDifference, meanDifference, newDecoder, noSharedImages, photo, plain, sharedImage } from '../support/images.ts'

const decoder = newDecoder()
const small = contractOf({ width: 4, height: 4 })

/** The first pixel of a picture of one colour. */
async function colourOf (file: Buffer, changes: Partial<ImageContract> = {}): Promise<number[]> {
  const pixels = await decoder.decode(file, { ...small, ...changes })
  return [...pixels.subarray(0, changes.channels ?? 3)]
}

/** Each number within `steps` of 255. */
function near (t: Test, found: number[], wanted: number[], steps: number): void {
  t.ok(found.length === wanted.length && found.every((value, index) => Math.abs(value - wanted[index]!) <= steps), `${found.join(' ')} is ${wanted.join(' ')} ± ${steps}`)
}

t.test('an sRGB profile is left out, and changes nothing that can be seen', async t => {
  const profile = join(t.testdir({}), 'srgb.icc')
  writeFileSync(profile, iccProfile({ space: 'RGB ', curve: srgbTable(1024), colorants: SRGB_COLORANTS }))
  const file = await encode(photo(96, 96)).withIccProfile(profile, { attach: true }).png().toBuffer()
  t.equal((await sharp(file).metadata()).hasProfile, true)
  const skipped = await decoder.decode(file, contractOf({ width: 48, height: 48 }))
  const converted = await sharp(file).resize(48, 48, { fit: 'fill', kernel: 'linear' }).raw().toBuffer()
  // the conversion goes to Lab and back in 8 bits before the resize: 1 step at most for a pixel
  t.ok(largestDifference(skipped, converted) <= 1, `differs by ${largestDifference(skipped, converted)} at most`)
})

const profiles = { 'Display P3': 'p3', 'Adobe RGB': iccProfile({ space: 'RGB ', curve: { gamma: 2.19921875 }, colorants: ADOBE_RGB_COLORANTS }) }

for (const [name, profile] of Object.entries(profiles)) {
  t.test(`${name} is converted to sRGB, whatever the container and the way it is resized`, async t => {
    const path = typeof profile === 'string' ? profile : join(t.testdir({}), 'profile.icc')
    if (typeof profile !== 'string') writeFileSync(path, profile)
    const tagged = encode(plain(16, 16, 200, 80, 40)).withIccProfile(path)
    const numbers = [...(await sharp(await tagged.clone().png().toBuffer(), { ignoreIcc: true }).raw().toBuffer()).subarray(0, 3)]
    t.ok(Math.max(...numbers.map((value, index) => Math.abs(value - [200, 80, 40][index]!))) > 8, `${name} writes the colour as ${numbers.join(' ')}`)
    near(t, await colourOf(await tagged.clone().png().toBuffer()), [200, 80, 40], 1)
    near(t, await colourOf(await tagged.clone().jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer()), [200, 80, 40], 2)
    near(t, await colourOf(await tagged.clone().png().toBuffer(), { width: 40, height: 40 }), [200, 80, 40], 1)
    near(t, await colourOf(await tagged.clone().png().toBuffer(), { width: 8, height: 32, fit: 'cover' }), [200, 80, 40], 1)
    near(t, await colourOf(await tagged.clone().toColourspace('rgb16').png().toBuffer()), [200, 80, 40], 2)
  })
}

t.test('converting after the resize agrees with converting before it', async t => {
  const file = await encode(photo(300, 200)).withIccProfile('p3').jpeg({ quality: 95 }).toBuffer()
  const after = await decoder.decode(file, contractOf({ width: 60, height: 40 }))
  const before = await sharp(file).resize(60, 40, { fit: 'fill', kernel: 'linear' }).raw().toBuffer()
  // measured 0.3 on a photo, 0.6 here, where every pixel is noise
  t.ok(meanDifference(after, before) < 1, `differs by ${meanDifference(after, before)} on the mean`)
})

t.test('a profile does not touch the background', async t => {
  const file = await encode(plain(16, 8, 200, 80, 40)).withIccProfile('p3').png().toBuffer()
  const pixels = await decoder.decode(file, contractOf({ width: 8, height: 8, fit: 'contain', background: [200, 80, 40] }))
  t.strictSame([...pixels.subarray(0, 3)], [200, 80, 40])
  near(t, [...pixels.subarray(8 * 4 * 3, 8 * 4 * 3 + 3)], [200, 80, 40], 1)
  const clear = await encode(plain(16, 8, 1, 2, 3, 0)).withIccProfile('p3').png().toBuffer()
  t.strictSame(await colourOf(clear, { background: [200, 80, 40] }), [200, 80, 40])
})

t.test('a broken profile is passed over', async t => {
  const file = await encode(plain(16, 16, 200, 80, 40)).withIccProfile('p3').jpeg({ quality: 100 }).toBuffer()
  const broken = Buffer.from(file)
  broken.fill(0, file.indexOf('ICC_PROFILE') + 14 + 36, file.indexOf('ICC_PROFILE') + 14 + 200)
  const numbers = [...(await sharp(file, { ignoreIcc: true }).raw().toBuffer()).subarray(0, 3)]
  near(t, await colourOf(broken), numbers, 2)
})

t.test('CMYK becomes sRGB', async t => {
  const picture = encode(plain(16, 16, 150, 120, 110)).toColourspace('cmyk')
  const bare = await picture.clone().jpeg({ quality: 100 }).toBuffer()
  const tagged = await picture.clone().withIccProfile('cmyk').jpeg({ quality: 100 }).toBuffer()
  t.equal((await sharp(bare).metadata()).space, 'cmyk')
  // there and back through inks, which hold fewer colours: measured 9; taken for RGB, the numbers would be 100 apart
  near(t, await colourOf(bare), [150, 120, 110], 12)
  near(t, await colourOf(tagged), [150, 120, 110], 12)
  near(t, await colourOf(tagged, { width: 40, height: 4 }), [150, 120, 110], 12)
  near(t, await colourOf(tagged, { kernel: 'nearest' }), [150, 120, 110], 12)
})

t.test('a CMYK photo with its printer\'s profile looks as libvips shows it', { skip: noSharedImages }, async t => {
  const file = sharedImage('jpeg/Channel_digital_image_CMYK_color.jpg')
  const pixels = await decoder.decode(file, contractOf({ width: 224, height: 224 }))
  t.strictSame(Buffer.from(pixels), await sharp(file).resize(224, 224, { fit: 'fill', kernel: 'linear' }).raw().toBuffer())
})

t.test('16 bits become 8', async t => {
  const wide = await encode(plain(8, 8, 200, 80, 40)).toColourspace('rgb16').png().toBuffer()
  const grey = await encode(plain(8, 8, 90)).toColourspace('grey16').png().toBuffer()
  t.strictSame([(await sharp(wide).metadata()).depth, (await sharp(grey).metadata()).depth], ['ushort', 'ushort'])
  t.strictSame(await colourOf(wide), [200, 80, 40])
  t.strictSame(await colourOf(grey), [90, 90, 90])
  t.strictSame(await colourOf(grey, { channels: 1 }), [90])
  t.strictSame(await colourOf(wide, { width: 20 }), [200, 80, 40])
})

t.test('grey for RGB, RGB for grey', async t => {
  const grey = await encode(plain(8, 8, 90)).jpeg({ quality: 100 }).toBuffer()
  const rgb = await encode(plain(8, 8, 200, 80, 40)).png().toBuffer()
  t.strictSame(await colourOf(grey), [90, 90, 90])
  t.strictSame(await colourOf(grey, { channels: 1 }), [90])
  t.strictSame(await colourOf(rgb, { channels: 1 }), [111]) // 0.299 · 200 + 0.587 · 80 + 0.114 · 40
})

t.test('grey with a profile of its own is converted', async t => {
  const profile = join(t.testdir({}), 'grey.icc')
  writeFileSync(profile, iccProfile({ space: 'GRAY', curve: { gamma: 1 } }))
  const file = await encode(plain(8, 8, 55)).withIccProfile(profile, { attach: true }).png().toBuffer()
  const hasProfile = (await sharp(file).metadata()).space === 'b-w' && (await sharp(file).metadata()).hasProfile
  t.equal(hasProfile, true)
  const number = (await sharp(file, { ignoreIcc: true }).raw().toBuffer())[0]!
  const encoded = Math.round(255 * (1.055 * (number / 255) ** (1 / 2.4) - 0.055))
  near(t, await colourOf(file), [encoded, encoded, encoded], 2)
  near(t, await colourOf(file, { channels: 1 }), [encoded], 2)
})

t.test('a palette is looked up', async t => {
  const file = await encode(plain(8, 8, 200, 80, 40)).png({ palette: true, colours: 2 }).toBuffer()
  t.equal((await sharp(file).metadata()).isPalette, true)
  near(t, await colourOf(file), [200, 80, 40], 1)
})

t.test('transparency lies on black, or on the contract\'s background', async t => {
  const clear = await encode(plain(8, 8, 200, 80, 40, 0)).png().toBuffer()
  const half = await encode(plain(8, 8, 200, 80, 40, 128)).webp({ lossless: true }).toBuffer()
  t.strictSame(await colourOf(clear), [0, 0, 0])
  t.strictSame(await colourOf(clear, { background: [9, 8, 7] }), [9, 8, 7])
  near(t, await colourOf(half), [100, 40, 20], 1)
  near(t, await colourOf(half, { background: [255, 255, 255] }), [227, 167, 147], 1)
  near(t, await colourOf(half, { background: [255, 255, 255], width: 20, height: 2 }), [227, 167, 147], 1)
})

t.test('transparent grey lies on a coloured background', async t => {
  const clear = await encode(plain(8, 8, 90, 0)).png().toBuffer()
  const wide = await encode(plain(8, 8, 90, 0)).toColourspace('grey16').png().toBuffer()
  t.strictSame((await sharp(clear).metadata()).channels, 2)
  t.strictSame(await colourOf(clear, { background: [255, 0, 10] }), [255, 0, 10])
  t.strictSame(await colourOf(wide, { background: [255, 0, 10] }), [255, 0, 10])
  t.strictSame(await colourOf(clear, { background: [255, 0, 10], width: 20, height: 2 }), [255, 0, 10])
  t.strictSame(await colourOf(clear, { background: [255, 0, 0], channels: 1 }), [76])
})

t.test('clear edges do not bleed their hidden colour', async t => {
  const pixels = photo(64, 64)
  const data = Buffer.alloc(64 * 64 * 4)
  for (let index = 0; index < 64 * 64; index++) data.set(index % 64 < 32 ? [255, 255, 255, 0] : [50, 60, 70, 255], index * 4)
  const file = await encode({ ...pixels, data, channels: 4 }).png().toBuffer()
  const row = await decoder.decode(file, contractOf({ width: 9, height: 1 }))
  t.ok(Math.max(...row) <= 70, `no pixel is brighter than what can be seen: ${row.join(' ')}`)
})

t.test('real PNGs with 16 bits and transparency read as libvips shows them', { skip: noSharedImages }, async t => {
  for (const path of ['png/Flag_of_the_Netherlands-16bit.png', 'png/Flag_of_the_Netherlands-alpha.png']) {
    const shown = await sharp(sharedImage(path)).flatten().resize(60, 40, { fit: 'fill', kernel: 'linear' }).raw().toBuffer()
    t.strictSame(Buffer.from(await decoder.decode(sharedImage(path), contractOf({ width: 60, height: 40 }))), shown, path)
  }
})
