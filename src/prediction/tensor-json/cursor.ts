/** The bytes that structure JSON. */
export const QUOTE = 0x22
export const COMMA = 0x2c
export const MINUS = 0x2d
export const POINT = 0x2e
export const COLON = 0x3a
export const LIST = 0x5b
export const BACKSLASH = 0x5c
export const LIST_END = 0x5d
export const OBJECT = 0x7b
export const OBJECT_END = 0x7d

/** Stands for what the reader does not know at the cursor: bytes that are not JSON, or JSON that another one reads. */
export class UnexpectedError extends Error {}

/** Made once: what is wrong, and where, is said by the cursor. */
const UNEXPECTED = new UnexpectedError('Unexpected byte')

/** @throws UnexpectedError */
export function unexpected (): never {
  throw UNEXPECTED
}

/** A place in JSON text. */
export class Cursor {
  /** UTF-8. */
  readonly bytes: Buffer
  /** Of the next byte to read. */
  at = 0

  constructor (bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Skips white space; returns the byte after it, −1 at the end. */
  peek (): number {
    const { bytes } = this
    let byte = bytes[this.at]
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++this.at]
    return byte ?? -1
  }

  /** Skips white space and then `byte`, if that is there. */
  skip (byte: number): boolean {
    if (this.peek() !== byte) return false
    this.at++
    return true
  }

  /** @throws UnexpectedError if another byte is there */
  expect (byte: number): void {
    if (!this.skip(byte)) unexpected()
  }

  /** Skips an ASCII word, if it is here. */
  skipWord (word: string): boolean {
    if (this.bytes.toString('latin1', this.at, this.at + word.length) !== word) return false
    this.at += word.length
    return true
  }
}
