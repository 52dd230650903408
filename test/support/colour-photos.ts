import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { seededRandom } from '../../src/training/random.ts'

export const COLOURS: Record<string, [number, number, number]> = { grass: [40, 200, 60], sky: [60, 120, 230], brick: [210, 60, 40] }

/** Photos of one colour, each a little different. */
export async function writePhotos (directory: string, colours: Record<string, [number, number, number]>, count: number): Promise<void> {
  const random = seededRandom(1)
  for (const [name, [r, g, b]] of Object.entries(colours)) {
    await mkdir(join(directory, name), { recursive: true })
    for (let index = 0; index < count; index++) {
      const shade = 0.7 + 0.3 * random()
      const photo = sharp({ create: { width: 20, height: 16, channels: 3, background: { r: r * shade, g: g * shade, b: b * shade } } })
      await writeFile(join(directory, name, `${index}.png`), await photo.png().toBuffer())
    }
  }
}
