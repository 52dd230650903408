import { randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFiles } from './version-files.ts'

/**
 * Writes a file aside, flushes it to the disk and renames it into place: whoever reads, also after a power cut, finds the old file or the
 * new one. Its folder is made.
 *
 * @param parts written one after another
 */
export async function replaceFile (path: string, parts: Iterable<Uint8Array>): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true })
  const aside = `${path}.tmp-${randomUUID()}`
  try {
    await writeThrough(aside, parts)
    await rename(aside, path)
  } finally {
    await rm(aside, { force: true })
  }
  await syncFiles(folder, { deep: false })
}

async function writeThrough (path: string, parts: Iterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx')
  try {
    for (const part of parts) await file.writeFile(part) // goes on where the last one ended
    await file.sync()
  } finally {
    await file.close()
  }
}
