/** Where the directory's values lie: behind the header and a directory of ten entries. */
const BITS_OFFSET = 134
const PROFILE_OFFSET = 140

const SHORT = 3
const LONG = 4
const UNDEFINED = 7

/**
 * An uncompressed TIFF around RGB pixels: the way to hand libvips pixels together with their colour profile.
 *
 * @param pixels uint8 [height, width, 3], row-major
 * @see TIFF 6.0 section 6; ICC.1:2022 annex B.4 for the profile's tag
 */
export function pixelsToTiff (pixels: Uint8Array, width: number, height: number, icc: Uint8Array): Uint8Array {
  const pixelsOffset = PROFILE_OFFSET + icc.length
  const entries: [tag: number, type: number, count: number, value: number][] = [
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    [258, SHORT, 3, BITS_OFFSET],
    [259, SHORT, 1, 1], // no compression
    [262, SHORT, 1, 2], // RGB
    [273, LONG, 1, pixelsOffset],
    [277, SHORT, 1, 3], // channels
    [278, LONG, 1, height], // rows in the only strip
    [279, LONG, 1, pixels.length],
    [34_675, UNDEFINED, icc.length, PROFILE_OFFSET]
  ]
  const tiff = new Uint8Array(pixelsOffset + pixels.length)
  const view = new DataView(tiff.buffer)
  tiff.set([0x49, 0x49, 42, 0, 8, 0, 0, 0, entries.length])
  entries.forEach(([tag, type, count, value], index) => {
    const at = 10 + 12 * index
    view.setUint16(at, tag, true)
    view.setUint16(at + 2, type, true)
    view.setUint32(at + 4, count, true)
    view.setUint32(at + 8, value, true)
  })
  tiff.set([8, 0, 8, 0, 8, 0], BITS_OFFSET)
  tiff.set(icc, PROFILE_OFFSET)
  tiff.set(pixels, pixelsOffset)
  return tiff
}
