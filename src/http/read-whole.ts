import { finished, type Readable } from 'node:stream'
import { BodyTooLargeError } from '../errors.ts'
import type { ByteMemory } from '../prediction/byte-memory.ts'

/** How many bytes a request may still send. */
export interface BytesLeft {
  readonly limitBytes: number
  left: number
}

/**
 * Reads a stream to its end, into one piece of memory that is used again.
 *
 * @throws BodyTooLargeError, what the stream fails with or has failed with already
 */
export async function readWhole (stream: Readable, memory: ByteMemory, bytes: BytesLeft): Promise<Uint8Array<ArrayBuffer>> {
  const chunks = await readChunks(stream, bytes)
  const whole = memory.take(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

async function readChunks (stream: Readable, bytes: BytesLeft): Promise<Buffer[]> {
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => {
      bytes.left -= chunk.length
      if (bytes.left < 0) reject(new BodyTooLargeError(`${bytes.limitBytes} bytes`))
      else chunks.push(chunk)
    })
    finished(stream, { writable: false }, error => { if (error) reject(error); else resolve(chunks) })
  })
}
