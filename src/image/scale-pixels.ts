import type { ImageContract } from '../registry/manifest.ts'

/**
 * Scales pixels on the host, for a model that wants floats: (pixel − mean) ÷ deviation, each channel by its own numbers or all by the one given.
 *
 * @param pixels uint8 [..., C], one row or a whole batch of the contract's channels
 * @param into float32 of the same length; a new array where left out
 * @returns float32 in the same order; the values are rounded once, from float64
 */
export function scalePixels (pixels: Uint8Array, { channels, scaling }: ImageContract, into = new Float32Array(pixels.length)): Float32Array {
  if (scaling.where !== 'host') throw new Error('This contract scales its pixels in the graph, not here. This is a bug.')
  const tables = Array.from({ length: channels }, (_, channel) => scaleTable(ofChannel(scaling.mean, channel), ofChannel(scaling.deviation, channel)))
  tables.forEach((table, channel) => {
    for (let index = channel; index < pixels.length; index += channels) into[index] = table[pixels[index] as number] as number
  })
  return into
}

/** All 256 answers for a channel. */
function scaleTable (mean: number, deviation: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, pixel) => (pixel - mean) / deviation)
}

function ofChannel (numbers: number[], channel: number): number {
  const number = numbers.length === 1 ? numbers[0] : numbers[channel]
  if (number === undefined) throw new RangeError(`Expected one number or one for each channel but received ${numbers.length}`)
  return number
}
