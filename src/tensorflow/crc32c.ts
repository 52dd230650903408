/** Castagnoli's polynomial, its bits turned around. */
const POLYNOMIAL = 0x82F63B78

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  return crc
})

/** The checksum of RFC 3720, 32 bits. */
export function crc32c (bytes: Uint8Array): number {
  let crc = 0xFFFFFFFF
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xFF]!
  return ~crc >>> 0
}

/** As TFRecord files have it: a checksum of data that hold checksums would be weak, so it is turned and moved. */
export function maskedCrc32c (bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xA282EAD8) >>> 0
}
