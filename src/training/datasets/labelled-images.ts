import type { LabelledImages } from './idx.ts'

/** Height, width and channels of every image of a set. */
export interface ImageSize {
  readonly height: number
  readonly width: number
  readonly channels: number
}

/** Room for images and their classes, with the arrays to fill. */
export function allocateImages (rows: number, { height, width, channels }: ImageSize): LabelledImages & { pixels: Uint8Array, classes: Uint8Array } {
  const pixels = new Uint8Array(rows * height * width * channels)
  const classes = new Uint8Array(rows)
  return {
    images: { dtype: 'uint8', shape: [rows, height, width, channels], data: pixels },
    labels: { dtype: 'uint8', shape: [rows], data: classes },
    pixels,
    classes
  }
}
