import sharp from 'sharp'
import { seededRandom } from '../src/training/random.ts'

const WIDTH = 640
const HEIGHT = 427
const OCTAVES = 6

/**
 * A picture like a camera's: soft shapes, fine grain, an sRGB profile, a JPEG of about ninety kilobytes. Always the same bytes for the same sharp.
 *
 * @param seed another picture for another number
 */
export async function makePhoto (seed = 1): Promise<Buffer> {
  return await sharp(makePixels(seed), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } }).withIccProfile('srgb').jpeg({ quality: 88 }).toBuffer()
}

/** Where the first row and the first column of the stored pixels lie in the upright picture. @see Exif 3.0, tag 0x0112 */
const ORIENTATIONS = {
  1: ['top', 'left'], 2: ['top', 'right'], 3: ['bottom', 'right'], 4: ['bottom', 'left'], 5: ['left', 'top'], 6: ['right', 'top'], 7: ['right', 'bottom'], 8: ['left', 'bottom']
} as const
export type Orientation = keyof typeof ORIENTATIONS

/** The photo with its pixels stored turned or mirrored, and the EXIF orientation that makes it upright again; hardly any pixel is more than a step off. */
export async function makeTurnedPhoto (orientation: Orientation, seed = 1): Promise<Buffer> {
  const pixels = makePixels(seed)
  const [firstRow, firstColumn] = ORIENTATIONS[orientation]
  const isOnItsSide = firstRow === 'left' || firstRow === 'right'
  const [width, height] = isOnItsSide ? [HEIGHT, WIDTH] : [WIDTH, HEIGHT]
  const stored = new Uint8Array(pixels.length)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const down = firstRow === 'bottom' || firstRow === 'right' ? height - 1 - row : row
      const right = firstColumn === 'bottom' || firstColumn === 'right' ? width - 1 - column : column
      const upright = isOnItsSide ? right * WIDTH + down : down * WIDTH + right
      stored.set(pixels.subarray(upright * 3, upright * 3 + 3), (row * width + column) * 3)
    }
  }
  return await sharp(stored, { raw: { width, height, channels: 3 } }).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).withMetadata({ orientation }).toBuffer()
}

/** uint8 [HEIGHT, WIDTH, 3]. */
function makePixels (seed: number): Uint8Array {
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3)
  const random = seededRandom(seed)
  const planes = Array.from({ length: 3 }, () => cloudPlane(random))
  for (let index = 0; index < WIDTH * HEIGHT; index++) {
    const grain = (random() - 0.5) * 30
    for (let channel = 0; channel < 3; channel++) pixels[index * 3 + channel] = clamp(planes[channel]![index]! * 255 + grain)
  }
  return pixels
}

/** Value noise in octaves, each finer and fainter than the one before: clouds, hills, leaves. */
function cloudPlane (random: () => number): Float64Array {
  const plane = new Float64Array(WIDTH * HEIGHT)
  for (let octave = 0; octave < OCTAVES; octave++) {
    const cells = 3 * 2 ** octave
    const lattice = Float64Array.from({ length: (cells + 1) ** 2 }, random)
    addOctave(plane, lattice, cells, 0.55 ** (octave + 1))
  }
  return plane
}

function addOctave (plane: Float64Array, lattice: Float64Array, cells: number, weight: number): void {
  for (let row = 0; row < HEIGHT; row++) {
    const [top, down] = position(row / HEIGHT * cells)
    for (let column = 0; column < WIDTH; column++) {
      const [left, right] = position(column / WIDTH * cells)
      const corner = top * (cells + 1) + left
      const upper = mix(lattice[corner]!, lattice[corner + 1]!, right)
      const lower = mix(lattice[corner + cells + 1]!, lattice[corner + cells + 2]!, right)
      plane[row * WIDTH + column]! += weight * mix(upper, lower, down)
    }
  }
}

/** Whole and smoothed fraction of a place on the lattice. */
function position (place: number): [cell: number, share: number] {
  const cell = Math.floor(place)
  const share = place - cell
  return [cell, share * share * (3 - 2 * share)]
}

function mix (from: number, to: number, share: number): number {
  return from + (to - from) * share
}

function clamp (value: number): number {
  return Math.max(0, Math.min(255, Math.round(value)))
}
