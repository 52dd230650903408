/** A channel's curve in an ICC profile: a power, a table of values 0–65535 (both `curv`), or the numbers of a function (`para`). */
export type Curve = { gamma: number } | { table: number[] } | { kind: number, numbers: number[] }

type Xyz = [number, number, number]

export interface ProfileParts {
  space: 'RGB ' | 'GRAY' | 'CMYK'
  curve: Curve
  /** Red, green and blue in XYZ, adapted to D50. */
  colorants?: [Xyz, Xyz, Xyz]
  /** Other tags by name, such as a lookup table's. */
  extra?: Record<string, Buffer>
}

export const SRGB_COLORANTS: [Xyz, Xyz, Xyz] = [[0.4360747, 0.2225045, 0.0139322], [0.3850649, 0.7168786, 0.0971045], [0.1430804, 0.0606169, 0.7141733]]
export const ADOBE_RGB_COLORANTS: [Xyz, Xyz, Xyz] = [[0.6097559, 0.3111242, 0.0194811], [0.2052401, 0.6256560, 0.0608902], [0.1492240, 0.0632197, 0.7448387]]
export const DISPLAY_P3_COLORANTS: [Xyz, Xyz, Xyz] = [[0.51512, 0.2412, -0.00105], [0.29198, 0.69225, 0.04189], [0.1571, 0.06657, 0.78407]]

/** sRGB's curve as ICC's function of kind 3: (a·x + b)^g from d on, c·x below. */
export const SRGB_FUNCTION: Curve = { kind: 3, numbers: [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045] }

/** sRGB's curve as a table, as the profiles of 1998 have it. */
export function srgbTable (length: number): Curve {
  return { table: Array.from({ length }, (_, index) => Math.round(65_535 * decodeSrgb(index / (length - 1)))) }
}

function decodeSrgb (value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
}

/** Writes a version 2 display profile, as far as colour libraries need it. @see ICC.1:2001-04 */
export function iccProfile ({ space, curve, colorants, extra = {} }: ProfileParts): Buffer {
  const curveTags = space === 'GRAY' ? ['kTRC'] : ['rTRC', 'gTRC', 'bTRC']
  const tags: [string, Buffer][] = [
    ['desc', description('test')],
    ['cprt', Buffer.concat([Buffer.from('text\0\0\0\0'), Buffer.from('none\0')])],
    ['wtpt', xyz([0.9642, 1, 0.8249])],
    ...(colorants ?? []).map((value, index): [string, Buffer] => [['rXYZ', 'gXYZ', 'bXYZ'][index]!, xyz(value)]),
    ...curveTags.map((name): [string, Buffer] => [name, curveBytes(curve)]),
    ...Object.entries(extra)
  ]
  const table = Buffer.alloc(4 + 12 * tags.length)
  table.writeUInt32BE(tags.length)
  const bodies: Buffer[] = []
  let offset = 128 + table.length
  tags.forEach(([name, body], index) => {
    table.write(name, 4 + 12 * index, 'latin1')
    table.writeUInt32BE(offset, 8 + 12 * index)
    table.writeUInt32BE(body.length, 12 + 12 * index)
    const padded = Buffer.concat([body, Buffer.alloc((4 - body.length % 4) % 4)])
    bodies.push(padded)
    offset += padded.length
  })
  return Buffer.concat([header(space, offset), table, ...bodies])
}

function header (space: string, size: number): Buffer {
  const bytes = Buffer.alloc(128)
  bytes.writeUInt32BE(size)
  bytes.writeUInt32BE(0x02400000, 8)
  bytes.write(`mntr${space}XYZ `, 12, 'latin1')
  bytes.write('acsp', 36, 'latin1')
  xyz([0.9642, 1, 0.8249]).copy(bytes, 68, 8)
  return bytes
}

function description (text: string): Buffer {
  const bytes = Buffer.alloc(12 + text.length + 1 + 4 + 4 + 2 + 1 + 67)
  bytes.write('desc', 'latin1')
  bytes.writeUInt32BE(text.length + 1, 8)
  bytes.write(text, 12, 'latin1')
  return bytes
}

function xyz (value: Xyz): Buffer {
  const bytes = Buffer.alloc(20)
  bytes.write('XYZ ', 'latin1')
  value.forEach((number, index) => bytes.writeInt32BE(Math.round(number * 65_536), 8 + 4 * index))
  return bytes
}

function curveBytes (curve: Curve): Buffer {
  if ('gamma' in curve) return curveTable([Math.round(curve.gamma * 256)])
  return 'table' in curve ? curveTable(curve.table) : curveFunction(curve.kind, curve.numbers)
}

function curveTable (values: number[]): Buffer {
  const bytes = Buffer.alloc(12 + 2 * values.length)
  bytes.write('curv', 'latin1')
  bytes.writeUInt32BE(values.length, 8)
  values.forEach((value, index) => bytes.writeUInt16BE(value, 12 + 2 * index))
  return bytes
}

function curveFunction (kind: number, numbers: number[]): Buffer {
  const bytes = Buffer.alloc(12 + 4 * numbers.length)
  bytes.write('para', 'latin1')
  bytes.writeUInt16BE(kind, 8)
  numbers.forEach((number, index) => bytes.writeInt32BE(Math.round(number * 65_536), 12 + 4 * index))
  return bytes
}
