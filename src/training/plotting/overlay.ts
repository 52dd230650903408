import { sheet, words } from './sheet.ts'

/** How strongly something speaks for (1) or against (−1). */
const FOR = '#d55e00'
const AGAINST = '#0072b2'

const SIDE = 336
const GAP = 20
const TOP = 56

/** @param png of the picture; the values of a grid of patches are laid over a second one, strongest full. @returns an SVG file */
export function patchOverlay (title: string, png: Uint8Array, grid: number, values: readonly number[], size: { readonly width: number, readonly height: number }): string {
  const scale = SIDE / Math.max(size.width, size.height)
  const [w, h] = [size.width * scale, size.height * scale]
  const image = (x: number, opacity: number): string => `<image x="${x}" y="${TOP}" width="${w}" height="${h}" opacity="${opacity}" href="data:image/png;base64,${Buffer.from(png).toString('base64')}"/>`
  const largest = largestOf(values)
  const patches = values.map((value, patch) => {
    const [column, row] = [patch % grid, Math.floor(patch / grid)]
    return `<rect x="${2 * GAP + w + column * w / grid}" y="${TOP + row * h / grid}" width="${w / grid}" height="${h / grid}" fill="${value > 0 ? FOR : AGAINST}" opacity="${(0.8 * Math.abs(value) / largest).toFixed(3)}"/>`
  })
  return sheet(title, 2 * w + 3 * GAP, TOP + h + 44, [image(GAP, 1), image(2 * GAP + w, 0.55), ...patches, ...legend(GAP, TOP + h + 26)])
}

const WIDTH = 820
const LINE = 30
const LETTER = 8.4

/** Words one after another, each on the colour of its value. @returns an SVG file */
export function wordOverlay (title: string, texts: readonly string[], values: readonly number[]): string {
  const largest = largestOf(values)
  let [x, y] = [GAP, TOP + 20]
  const cells = texts.map((text, index) => {
    const width = [...text].length * LETTER + 10
    if (x + width > WIDTH - GAP && x > GAP) [x, y] = [GAP, y + LINE]
    const value = values[index]!
    const cell = `<rect x="${x}" y="${y - 17}" width="${width}" height="24" rx="4" fill="${value > 0 ? FOR : AGAINST}" opacity="${(0.7 * Math.abs(value) / largest).toFixed(3)}"/>\n${words(text, { x: x + 5, y, size: 14, fill: '#111827' })}`
    x += width + 2
    return cell
  })
  return sheet(title, WIDTH, y + 60, [...cells, ...legend(GAP, y + 42)])
}

function legend (x: number, y: number): string[] {
  return [[FOR, 'speaks for it'], [AGAINST, 'speaks against it']].map(([colour, what], index) =>
    `<rect x="${x + index * 140}" y="${y - 10}" width="12" height="12" fill="${colour!}"/>\n${words(what!, { x: x + 18 + index * 140, y, size: 12, fill: '#333333' })}`)
}

function largestOf (values: readonly number[]): number {
  return Math.max(1e-12, ...values.map(Math.abs))
}
