import { sheet, words } from './sheet.ts'

export interface SheetPicture {
  /** A PNG file. */
  readonly png: Uint8Array
  /** Pixels. */
  readonly width: number
  readonly height: number
  /** Two lines under it. */
  readonly captions: readonly [string, string]
}

export interface SheetText {
  readonly text: string
  readonly captions: readonly [string, string]
}

const COLUMNS = 6
const SIDE = 132
const GAP = 16
const TOP = 58
const CAPTION = 15
/** Letters of a caption under a picture; they are 6.1 wide at most. */
const CAPTION_LETTERS = 22

const TEXT_WIDTH = 900
const LINE_LETTERS = 118
const TEXT_LINES = 3

/** Small pictures side by side, each with what there is to say of it. @returns an SVG file that holds the pictures */
export function contactSheet (title: string, pictures: readonly SheetPicture[]): string {
  const cellHeight = SIDE + 2 * CAPTION + GAP + 6
  const columns = Math.min(COLUMNS, Math.max(3, pictures.length))
  const cells = pictures.map(({ png, width, height, captions }, index) => {
    const [x, y] = [GAP + index % columns * (SIDE + GAP), TOP + Math.floor(index / columns) * cellHeight]
    const scale = SIDE / Math.max(width, height)
    const [w, h] = [width * scale, height * scale]
    return [
      `<image x="${x + (SIDE - w) / 2}" y="${y + (SIDE - h) / 2}" width="${w}" height="${h}" image-rendering="${scale > 1 ? 'optimizeSpeed' : 'optimizeQuality'}" href="data:image/png;base64,${Buffer.from(png).toString('base64')}"/>`,
      ...captions.map((caption, line) => words(cut(caption, CAPTION_LETTERS), { x, y: y + SIDE + (line + 1) * CAPTION, size: 11, fill: line === 0 ? '#111827' : '#b45309' }))
    ].join('\n')
  })
  const width = columns * (SIDE + GAP) + GAP
  return sheet(title, width, TOP + Math.ceil(pictures.length / columns) * cellHeight, cells)
}

/** Texts one under the other, each with what there is to say of it; of a long one its beginning. @returns an SVG file */
export function textSheet (title: string, texts: readonly SheetText[]): string {
  const cells: string[] = []
  let y = TOP
  for (const { text, captions } of texts) {
    cells.push(words(captions.join(' · '), { x: GAP, y: y += CAPTION, size: 12, fill: '#b45309' }))
    for (const line of wrap(text)) cells.push(words(line, { x: GAP, y: y += CAPTION + 2, size: 12, fill: '#111827' }))
    y += GAP
  }
  return sheet(title, TEXT_WIDTH, y + GAP, cells)
}

function wrap (text: string): string[] {
  const lines: string[] = ['']
  for (const word of text.split(/\s+/).map(long => cut(long, LINE_LETTERS))) {
    const line = lines.at(-1)!
    if (line.length + word.length < LINE_LETTERS) {
      lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
    } else if (lines.length < TEXT_LINES) {
      lines.push(word)
    } else {
      lines[lines.length - 1] = `${line} …`
      break
    }
  }
  return lines
}

function cut (text: string, letters: number): string {
  const all = [...text]
  return all.length <= letters ? text : `${all.slice(0, letters - 1).join('')}…`
}
