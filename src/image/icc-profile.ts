/** How far a profile's red, green and blue may lie from sRGB's, in XYZ (0–1): the roundings in use stay under 0.003, Apple's Generic RGB is at 0.018. */
const COLORANT_TOLERANCE = 0.005
/** How far a profile's curve may lie from sRGB's, in steps of 255: the shortest tables in use stay under 2, gamma 2.2 is at 8. */
const CURVE_TOLERANCE = 3

/** sRGB's red, green and blue in XYZ, adapted to D50 as ICC profiles hold them. @see IEC 61966-2-1, ICC.1:2022 annex E */
const SRGB_COLORANTS = { rXYZ: [0.4361, 0.2225, 0.0139], gXYZ: [0.3851, 0.7169, 0.0971], bXYZ: [0.1431, 0.0606, 0.7141] }

/** A channel's curve: device value 0–1 → linear light 0–1. */
type Curve = (value: number) => number

/**
 * Whether pixels with this profile already are sRGB (or grey with sRGB's curve), so that converting them would change nothing.
 * Told by the profile's own numbers, not by its name or hash: every maker writes another file for the same sRGB.
 *
 * @param icc a whole ICC profile; a broken one, or one with lookup tables instead of a matrix, is not sRGB
 */
export function isSrgbProfile (icc: Uint8Array): boolean {
  const known = KNOWN.find(profile => Buffer.compare(profile.icc, icc) === 0)
  if (known !== undefined) return known.isSrgb
  const isSrgb = readIsSrgb(icc)
  if (icc.length <= MAX_KNOWN_BYTES) KNOWN.unshift({ icc: Uint8Array.from(icc), isSrgb })
  KNOWN.length = Math.min(KNOWN.length, MAX_KNOWN)
  return isSrgb
}

/** The profiles that were met last: photos come with few different ones, and to compare the bytes takes a hundredth of what reading them does. */
const KNOWN: { readonly icc: Uint8Array, readonly isSrgb: boolean }[] = []
const MAX_KNOWN = 8
const MAX_KNOWN_BYTES = 65_536

function readIsSrgb (icc: Uint8Array): boolean {
  try {
    return new Profile(icc).isSrgb()
  } catch (error) {
    if (error instanceof RangeError) return false // it points past its own end
    throw error
  }
}

class Profile {
  readonly #view: DataView
  readonly #tags: Map<string, number>

  constructor (icc: Uint8Array) {
    this.#view = new DataView(icc.buffer, icc.byteOffset, icc.byteLength)
    const count = Math.min(this.#view.getUint32(128), 100)
    this.#tags = new Map(Array.from({ length: count }, (_, index) => {
      const entry = 132 + 12 * index
      return [this.#text(entry), this.#view.getUint32(entry + 4)]
    }))
  }

  isSrgb (): boolean {
    if (this.#text(36) !== 'acsp' || this.#tags.has('A2B0')) return false
    const space = this.#text(16)
    if (space === 'GRAY') return this.#hasSrgbCurves('kTRC')
    return space === 'RGB ' && this.#hasSrgbColorants() && this.#hasSrgbCurves('rTRC', 'gTRC', 'bTRC')
  }

  #hasSrgbColorants (): boolean {
    return Object.entries(SRGB_COLORANTS).every(([tag, xyz]) => {
      const offset = this.#tags.get(tag)
      return offset !== undefined && xyz.every((value, axis) => Math.abs(this.#fixed(offset + 8 + 4 * axis) - value) <= COLORANT_TOLERANCE)
    })
  }

  /** Most profiles hold one curve that all their channels point at. */
  #hasSrgbCurves (...tags: string[]): boolean {
    return [...new Set(tags.map(tag => this.#tags.get(tag)))].every(offset => this.#isSrgbCurve(offset))
  }

  #isSrgbCurve (offset: number | undefined): boolean {
    const curve = offset === undefined ? undefined : this.#curve(offset)
    if (curve === undefined) return false
    for (let step = 8; step < 256; step += 8) {
      if (!(Math.abs(encodeSrgb(curve(step / 255)) * 255 - step) <= CURVE_TOLERANCE)) return false
    }
    return true
  }

  #curve (offset: number): Curve | undefined {
    const type = this.#text(offset)
    if (type === 'curv') return this.#table(offset)
    return type === 'para' ? this.#parametric(offset) : undefined
  }

  #table (offset: number): Curve {
    const count = this.#view.getUint32(offset + 8)
    const at = (index: number): number => this.#view.getUint16(offset + 12 + 2 * index)
    if (count === 0) return value => value
    if (count === 1) return value => value ** (at(0) / 256)
    return value => {
      const position = value * (count - 1)
      const index = Math.min(Math.floor(position), count - 2)
      return (at(index) + (at(index + 1) - at(index)) * (position - index)) / 65535
    }
  }

  /** y = (a·x + b)^g + e above d, c·x + f below; the shorter kinds leave numbers out. @see ICC.1:2022 table 68 */
  #parametric (offset: number): Curve | undefined {
    const kind = this.#view.getUint16(offset + 8)
    const count = [1, 3, 4, 5, 7][kind]
    if (count === undefined) return undefined
    const [g = 1, a = 1, b = 0, c = 0, d = 0, e = 0, f = 0] = Array.from({ length: count }, (_, index) => this.#fixed(offset + 12 + 4 * index))
    if (kind === 0) return value => value ** g
    if (kind < 3) return value => (value >= -b / a ? (a * value + b) ** g : 0) + c
    return value => value >= d ? (a * value + b) ** g + e : c * value + f
  }

  /** s15Fixed16Number. */
  #fixed (offset: number): number {
    return this.#view.getInt32(offset) / 65536
  }

  #text (offset: number): string {
    return String.fromCharCode(...[0, 1, 2, 3].map(index => this.#view.getUint8(offset + index)))
  }
}

function encodeSrgb (linear: number): number {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055
}
