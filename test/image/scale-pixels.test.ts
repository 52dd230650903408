import t from 'tap'
import { scalePixels } from '../../src/image/index.ts'
import { contractOf } from '../support/images.ts'

function hostContract (channels: 1 | 3, mean: number[], deviation: number[]): Parameters<typeof scalePixels>[1] {
  return contractOf({ width: 1, height: 1, channels, scaling: { where: 'host', mean, deviation } })
}

t.test('one number serves all channels', async t => {
  const floats = scalePixels(Uint8Array.of(0, 127, 255), hostContract(3, [127.5], [127.5]))
  t.strictSame(floats, Float32Array.of(-1, -0.5 / 127.5, 1))
})

t.test('each channel has its own numbers, over all rows of a batch', async t => {
  const mean = [123.675, 116.28, 103.53]
  const deviation = [58.395, 57.12, 57.375]
  const pixels = Uint8Array.from({ length: 3 * 4 * 2 }, (_, index) => index * 10)
  const expected = Float32Array.from(pixels, (pixel, index) => (pixel - mean[index % 3]!) / deviation[index % 3]!)
  t.strictSame(scalePixels(pixels, hostContract(3, mean, deviation)), expected)
})

t.test('grey is scaled too', async t => {
  t.strictSame(scalePixels(Uint8Array.of(0, 51, 255), hostContract(1, [0], [255])), Float32Array.of(0, 51 / 255, 1))
})

t.test('writes into the place that it is given', async t => {
  const batch = new Float32Array(6)
  const row = batch.subarray(3)
  t.equal(scalePixels(Uint8Array.of(1, 2, 3), hostContract(3, [0], [1]), row), row)
  t.strictSame(batch, Float32Array.of(0, 0, 0, 1, 2, 3))
})

t.test('numbers for two channels of three are refused', async t => {
  t.throws(() => scalePixels(Uint8Array.of(1, 2, 3), hostContract(3, [1, 2], [1])), { message: 'Expected one number or one for each channel but received 2' })
})

t.test('a contract that scales in the graph is not scaled twice', async t => {
  t.throws(() => scalePixels(Uint8Array.of(1, 2, 3), contractOf({ width: 1, height: 1 })), { message: /in the graph.*This is a bug/ })
})
