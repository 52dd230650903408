import { createReadStream } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { DatasetError } from '../../errors.ts'

const unzip = promisify(gunzip)

/** What a packed file may unpack to: it is kept in memory, as no part of it can be read alone. */
const MAX_UNPACKED_BYTES = 2 ** 31 - 1

/** Offsets; the end is left out. */
export type ByteRange = readonly [start: number, end: number]

/** A file's bytes, of which any part can be read at any time. */
export interface ByteSource {
  /** From the first byte on. */
  stream (): AsyncIterable<Uint8Array>
  slices (ranges: readonly ByteRange[]): Promise<Uint8Array[]>
}

/**
 * A file stays on the disk, however large; one packed with gzip (`.gz`) is unpacked into memory.
 *
 * @throws DatasetError if it can't be read or unpacked
 */
export async function openBytes (path: string): Promise<ByteSource> {
  const unreadable = (error: Error): never => { throw new DatasetError(`${path} can not be read: ${error.message}`) }
  if (path.endsWith('.gz')) return bytesInMemory(await unpacked(await readFile(path).catch(unreadable), path))
  await open(path).then(async file => { await file.close() }, unreadable)
  return {
    stream: () => createReadStream(path),
    slices: async ranges => {
      const file = await open(path).catch(unreadable)
      try {
        const slices: Uint8Array[] = []
        for (const [start, end] of ranges) {
          const bytes = Buffer.alloc(end - start)
          const { bytesRead } = await file.read(bytes, 0, bytes.length, start)
          if (bytesRead < bytes.length) throw new DatasetError(`${path} became shorter while it was read`)
          slices.push(bytes)
        }
        return slices
      } finally {
        await file.close()
      }
    }
  }
}

function bytesInMemory (bytes: Uint8Array): ByteSource {
  return {
    stream: () => Readable.from([bytes]),
    slices: async ranges => ranges.map(([start, end]) => bytes.subarray(start, end))
  }
}

async function unpacked (file: Uint8Array, path: string): Promise<Uint8Array> {
  try {
    return await unzip(file, { maxOutputLength: MAX_UNPACKED_BYTES })
  } catch (error) {
    throw new DatasetError(`${path} can not be unpacked: ${(error as Error).message}. A set that is larger has to be unpacked before`)
  }
}
