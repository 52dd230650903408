import { FONT } from './chart.ts'

/** An SVG file of a title and what is below it. */
export function sheet (title: string, width: number, height: number, cells: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${width / 2}" y="32" text-anchor="middle" font-size="17" font-weight="bold" fill="#333333">${escaped(title)}</text>`,
    ...cells,
    '</svg>\n'
  ].join('\n')
}

/** A line of text. */
export function words (text: string, { x, y, size, fill }: { x: number, y: number, size: number, fill: string }): string {
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}">${escaped(text)}</text>`
}

/** What XML can't hold, such as control characters, is a blank. */
function escaped (text: string): string {
  const allowed = text.toWellFormed().replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, ' ')
  return allowed.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
