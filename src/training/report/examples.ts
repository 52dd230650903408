import { pixelsToPng } from '../../image/index.ts'
import type { Dataset } from '../datasets/dataset.ts'
import type { LabelledTexts } from '../datasets/labelled-texts.ts'
import { contactSheet, textSheet } from '../plotting/index.ts'

export interface ExampleImage {
  /** A PNG file. */
  readonly png: Uint8Array
  /** Pixels. */
  readonly width: number
  readonly height: number
}

/** Rows as people can look at them: a text or an image each. */
export type Examples = { readonly images: readonly ExampleImage[] } | { readonly texts: readonly string[] }

/** @param rows which ones, in this order @returns undefined if there is nothing to see */
export type ShowRows = (rows: Int32Array) => Promise<Examples | undefined>

/** Rows whose first input is uint8 [height, width, 1 or 3]; of others there is nothing to see. */
export function showImages (data: Dataset): ShowRows {
  return async rows => {
    const pixels = (await data.batch(rows)).inputs[0]!
    const [, height = 0, width = 0, channels] = pixels.shape
    if (pixels.dtype !== 'uint8' || pixels.shape.length !== 4 || (channels !== 1 && channels !== 3)) return undefined
    const size = height * width * channels
    const png = async (index: number): Promise<Buffer> => await pixelsToPng((pixels.data as Uint8Array).slice(index * size, (index + 1) * size), width, height, channels)
    return { images: await Promise.all(Array.from(rows, async (_, index) => ({ png: await png(index), width, height }))) }
  }
}

export function showTexts ({ texts }: Pick<LabelledTexts, 'texts'>): ShowRows {
  return async rows => ({ texts: await texts(rows) })
}

/** @param captions two lines for each @returns an SVG file */
export function drawExamples (title: string, examples: Examples, captions: readonly (readonly [string, string])[]): string {
  return 'images' in examples
    ? contactSheet(title, examples.images.map((image, index) => ({ ...image, captions: captions[index]! })))
    : textSheet(title, examples.texts.map((text, index) => ({ text, captions: captions[index]! })))
}
