import t from 'tap'
import { placePixels, type Picture } from '../../src/image/place-pixels.ts'
import { planResize } from '../../src/image/resize-plan.ts'
import type { ImageContract } from '../../src/registry/manifest.ts'
import { contractOf } from '../support/images.ts'

function place (picture: Picture, contract: ImageContract): number[] {
  const into = new Uint8Array(contract.width * contract.height * contract.channels).fill(99)
  const source = { width: picture.width / picture.step, height: picture.height / picture.step }
  placePixels(picture, planResize(source, contract), contract, into)
  return [...into]
}

function pictureOf (width: number, height: number, channels: number, ...data: number[]): Picture {
  return { data: Uint8Array.from(data), width, height, channels, step: 1 }
}

t.test('RGB goes in as it is', async t => {
  t.strictSame(place(pictureOf(2, 1, 3, 1, 2, 3, 4, 5, 6), contractOf({ width: 2, height: 1 })), [1, 2, 3, 4, 5, 6])
})

t.test('grey becomes three equal channels', async t => {
  t.strictSame(place(pictureOf(2, 1, 1, 7, 8), contractOf({ width: 2, height: 1 })), [7, 7, 7, 8, 8, 8])
})

t.test('what has more than three channels gives its first three', async t => {
  t.strictSame(place(pictureOf(1, 1, 4, 1, 2, 3, 4), contractOf({ width: 1, height: 1 })), [1, 2, 3])
})

t.test('RGB becomes grey by BT.601, with Pillow\'s rounding', async t => {
  // from PIL.Image.convert('L')
  t.strictSame(place(pictureOf(5, 1, 3, 255, 0, 0, 0, 255, 0, 0, 0, 255, 12, 200, 99, 255, 255, 255), contractOf({ width: 5, height: 1, channels: 1 })),
    [76, 150, 29, 132, 255])
})

t.test('grey stays what it is in one channel, all 256 values', async t => {
  const values = Array.from({ length: 256 }, (_, value) => value)
  t.strictSame(place(pictureOf(256, 1, 3, ...values.flatMap(value => [value, value, value])), contractOf({ width: 256, height: 1, channels: 1 })), values)
  t.strictSame(place(pictureOf(256, 1, 1, ...values), contractOf({ width: 256, height: 1, channels: 1 })), values)
})

t.test('a picture twice as large gives the second pixel of each two', async t => {
  const picture: Picture = { ...pictureOf(4, 2, 1, 0, 1, 2, 3, 4, 5, 6, 7), step: 2 }
  t.strictSame(place(picture, contractOf({ width: 2, height: 1, channels: 1 })), [5, 7])
  t.strictSame(place(picture, contractOf({ width: 2, height: 1 })), [5, 5, 5, 7, 7, 7])
})

t.test('what is left of the frame is background, by default black', async t => {
  const contract = contractOf({ width: 1, height: 3, fit: 'contain' })
  t.strictSame(place(pictureOf(1, 1, 3, 1, 2, 3), contract), [0, 0, 0, 1, 2, 3, 0, 0, 0])
  t.strictSame(place(pictureOf(1, 1, 3, 1, 2, 3), { ...contract, background: [10, 20, 30] }), [10, 20, 30, 1, 2, 3, 10, 20, 30])
  t.strictSame(place(pictureOf(1, 1, 3, 1, 2, 3), { ...contract, background: [50, 50, 50] }), [50, 50, 50, 1, 2, 3, 50, 50, 50])
})

t.test('the background of one channel is its grey', async t => {
  const contract = contractOf({ width: 1, height: 2, channels: 1, fit: 'contain', background: [255, 0, 0] })
  t.strictSame(place(pictureOf(1, 1, 1, 8), contract), [8, 76])
})
