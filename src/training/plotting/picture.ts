import { Resvg } from '@resvg/resvg-js'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Pixels of the PNG for one of the SVG. */
const SCALE = 2

const fonts = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf')

/** The machine's fonts are not asked: a server often has none. @returns a PNG file */
export function svgToPng (svg: string): Buffer {
  return new Resvg(svg, {
    fitTo: { mode: 'zoom', value: SCALE },
    font: { loadSystemFonts: false, fontFiles: ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map(name => join(fonts, name)), defaultFontFamily: 'DejaVu Sans' }
  }).render().asPng()
}

/** Writes `<name>.svg` and `<name>.png`. */
export async function savePicture (folder: string, name: string, svg: string): Promise<void> {
  await writeFile(join(folder, `${name}.svg`), svg)
  await writeFile(join(folder, `${name}.png`), svgToPng(svg))
}
