import { open, readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { hashFile } from '../registry/hash-file.ts'

/** SHA-256 of every file under a version's directory but its manifest: relative path with `/` → 64 hexadecimal digits. */
export async function hashFiles (directory: string): Promise<Record<string, string>> {
  const hashes: [string, string][] = []
  for (const path of await filesUnder(directory)) {
    const name = relative(directory, path).replaceAll(sep, '/')
    if (name !== 'model.json') hashes.push([name, await hashFile(path)])
  }
  return Object.fromEntries(hashes)
}

/** Waits until the disk has the directory's files and names, so that a power cut after a rename leaves a whole version. */
export async function syncFiles (directory: string, { deep = true } = {}): Promise<void> {
  const entries = deep ? await readdir(directory, { recursive: true }) : []
  for (const name of [...entries, '.']) await sync(join(directory, name))
}

async function filesUnder (directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name)).sort()
}

async function sync (path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
