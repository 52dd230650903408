import { createWriteStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { open, type Entry, type ZipFile } from 'yauzl'
import { BadModelFileError } from '../../../errors.ts'

/** A description of a model is far shorter. */
const MAX_TEXT_BYTES = 100_000_000

const openZip = promisify<string, { lazyEntries: true }, ZipFile>(open)

/** @throws BadModelFileError if the archive is broken, has no such entry or one that is too long for a text */
export async function readTextEntry (path: string, name: string): Promise<string> {
  return await withEntry(path, name, async (entry, stream) => {
    if (entry.uncompressedSize > MAX_TEXT_BYTES) throw new BadModelFileError(path, `its ${name} has ${entry.uncompressedSize} bytes; ${MAX_TEXT_BYTES} are read at most`)
    return (await buffer(stream)).toString('utf8')
  })
}

/** Writes an entry to a file, as it comes: it may be larger than the memory. @throws BadModelFileError as `readTextEntry` */
export async function extractEntry (path: string, name: string, target: string): Promise<void> {
  await withEntry(path, name, async (_entry, stream) => { await pipeline(stream, createWriteStream(target)) })
}

async function withEntry<Result> (path: string, name: string, work: (entry: Entry, stream: Readable) => Promise<Result>): Promise<Result> {
  try {
    const zip = await openZip(path, { lazyEntries: true })
    try {
      const entry = await findEntry(zip, name)
      if (entry === undefined) throw new BadModelFileError(path, `it has no ${name}, so it is no .keras file`)
      return await work(entry, await promisify(zip.openReadStream.bind(zip) as (entry: Entry, done: (error: Error | null, stream: Readable) => void) => void)(entry))
    } finally {
      zip.close()
    }
  } catch (error) {
    if (error instanceof Error && 'statusCode' in error) throw error
    throw new BadModelFileError(path, `is no whole .keras archive: ${(error as Error).message}`)
  }
}

async function findEntry (zip: ZipFile, name: string): Promise<Entry | undefined> {
  return await new Promise((resolve, reject) => {
    zip.on('entry', (entry: Entry) => {
      if (entry.fileName === name) resolve(entry)
      else zip.readEntry()
    })
    zip.on('end', () => { resolve(undefined) })
    zip.on('error', reject)
    zip.readEntry()
  })
}
