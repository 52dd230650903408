import { sharp } from './sharp.ts'

/**
 * Shows what a model saw, exactly: PNG loses nothing.
 *
 * @param pixels uint8 [height, width, channels], row-major; must not change before the promise settles
 * @returns a PNG file, grey or RGB
 */
export async function pixelsToPng (pixels: Uint8Array, width: number, height: number, channels: 1 | 3): Promise<Buffer> {
  return await sharp(pixels, { raw: { width, height, channels } }).toColourspace(channels === 1 ? 'b-w' : 'srgb').png().toBuffer()
}
