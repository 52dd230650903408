import t, { type Test } from 'tap'
import sharp from 'sharp'
import { hasCustomOperations } from '../../src/tensorflow/index.ts'
import { readHeader } from '../../src/image/image-header.ts'
import { planResize } from '../../src/image/resize-plan.ts'
import { jpegRatio, shrinkJob, shrinkJpeg } from '../../src/image/shrink-jpeg.ts'
import type { ImageContract } from '../../src/registry/manifest.ts'
import { contractOf, encode, meanDifference, newDecoder, noSharedImages, photo, plain, sharedImage } from '../support/images.ts'

const decoder = newDecoder()

async function isShrunk (file: Buffer, contract = contractOf({ width: 32, height: 32 })): Promise<boolean> {
  const header = await readHeader(file, 50_000_000)
  const job = shrinkJob(file, header, planResize(header.size, contract), contract.kernel)
  return job !== undefined && await shrinkJpeg(file, job) !== undefined
}

/** The fully decoded picture, resized by libvips. */
async function inFull (file: Buffer, contract: ImageContract): Promise<Uint8Array> {
  return await decoder.decode(await sharp(file).autoOrient().png().toBuffer(), contract)
}

t.test('a JPEG is decoded at the part of its size that leaves the kernel more than a pixel for each', async t => {
  const source = { width: 640, height: 427 }
  const ratios = [500, 214, 213, 142, 141, 100, 86, 85, 48, 47, 1].map(side => jpegRatio(source, { width: side, height: side }))
  t.strictSame(ratios, [1, 1, 1, 2, 2, 2, 2, 4, 4, 8, 8])
})

t.test('photos are shrunk while they are decoded, whatever their turn, their profile and their chroma', async t => {
  const picture = encode(photo(320, 240))
  t.equal(await isShrunk(await picture.clone().jpeg().toBuffer()), true)
  t.equal(await isShrunk(await picture.clone().jpeg({ chromaSubsampling: '4:4:4' }).toBuffer()), true)
  t.equal(await isShrunk(await picture.clone().withIccProfile('srgb').jpeg().toBuffer()), true)
  t.equal(await isShrunk(await picture.clone().withIccProfile('p3').jpeg().toBuffer()), true)
  t.equal(await isShrunk(await picture.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer()), true)
  t.equal(await isShrunk(await encode(plain(320, 240, 90)).jpeg().toBuffer()), true)
})

t.test('what shrinks to more than a third is decoded in full by who has a fast resize', async t => {
  const file = await encode(photo(320, 240)).jpeg().toBuffer()
  for (const sides of [[110, 110], [320, 240], [400, 100]] as const) t.equal(await isShrunk(file, contractOf({ width: sides[0], height: sides[1] })), hasCustomOperations({ onCpu: true }))
})

t.test('what is not plain or not whole is left to libvips', async t => {
  const picture = encode(photo(320, 240))
  const file = await picture.clone().jpeg().toBuffer()
  t.equal(await isShrunk(await picture.clone().png().toBuffer()), false, 'another format')
  t.equal(await isShrunk(await picture.clone().jpeg({ progressive: true }).toBuffer()), false, 'progressive')
  t.equal(await isShrunk(await picture.clone().toColourspace('cmyk').jpeg().toBuffer()), false, 'CMYK')
  t.equal(await isShrunk(file, contractOf({ width: 32, height: 32, kernel: 'nearest' })), false, 'nearest')
  t.equal(await isShrunk(file, contractOf({ width: 32, height: 32, kernel: 'lanczos2' })), false, 'lanczos2')
  t.equal(await isShrunk(file.subarray(0, -2)), false, 'cut off')
  t.equal(await isShrunk(Buffer.concat([file.subarray(0, file.length >> 1), Buffer.from([0xff, 0xd9])])), true, 'patched up: libjpeg only warns')
})

t.test('what TensorFlow refuses is left to libvips', async t => {
  const file = await encode(photo(320, 240)).jpeg().toBuffer()
  file[file.indexOf(Buffer.from([0xff, 0xc0])) + 4] = 12 // bits a channel
  t.equal(await isShrunk(file), false)
})

for (const kernel of ['linear', 'cubic', 'mitchell', 'lanczos3'] as const) {
  t.test(`a real photo shrunk with ${kernel} stays near the fully decoded one`, { skip: noSharedImages }, async t => {
    for (const path of ['exif/Landscape_1.jpg', 'jpeg/concert.jpg']) {
      for (const side of [16, 32, 64, 224, 1000]) {
        const contract = contractOf({ width: side, height: side, kernel })
        const difference = meanDifference(await decoder.decode(sharedImage(path), contract), await inFull(sharedImage(path), contract))
        // libvips' own shrinking would be up to 9 off; the worst of 42 photos is 2.6
        t.ok(difference < 2.6, `${path} to ${side} differs by ${difference} on the mean`)
      }
    }
  })
}

/** A picture that has no two equal sides or corners, stored so that the orientation turns it upright. */
async function turned (orientation: number): Promise<Buffer> {
  const upright = encode(photo(400, 304))
  const undo: Record<number, () => typeof upright> = {
    1: () => upright,
    2: () => upright.flop(),
    3: () => upright.rotate(180),
    4: () => upright.flip(),
    5: () => upright.rotate(270).flop(),
    6: () => upright.rotate(270),
    7: () => upright.rotate(90).flop(),
    8: () => upright.rotate(90)
  }
  const { data, info } = await undo[orientation]!().raw().toBuffer({ resolveWithObject: true })
  return await sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
    .jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).withMetadata({ orientation }).toBuffer()
}

function near (t: Test, found: Uint8Array, expected: Uint8Array, name: string): void {
  const difference = meanDifference(found, expected)
  // blocks of eight pixels start at another corner: measured 0.4; a wrong turn gives over 20
  t.ok(difference < 1, `${name} differs by ${difference} on the mean`)
}

for (let orientation = 2; orientation <= 8; orientation++) {
  t.test(`a shrunk JPEG of EXIF orientation ${orientation} is turned upright, before every fit`, async t => {
    const [file, reference] = await Promise.all([turned(orientation), turned(1)])
    for (const changes of [{ width: 40, height: 25 }, { width: 31, height: 17, fit: 'cover', cropFraction: 0.83 }, { width: 20, height: 47, fit: 'cover' }, { width: 33, height: 60, fit: 'contain' }] as const) {
      const contract = contractOf(changes)
      t.equal(await isShrunk(file, contract), true)
      near(t, await decoder.decode(file, contract), await decoder.decode(reference, contract), JSON.stringify(changes))
    }
  })
}
