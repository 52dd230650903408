import sharp from 'sharp'

/** A picture of one colour. */
export async function plainPng (width: number, height: number, [r, g, b]: readonly [number, number, number]): Promise<Buffer> {
  return await sharp({ create: { width, height, channels: 3, background: { r, g, b } } }).png().toBuffer()
}
