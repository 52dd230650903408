import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFiles } from '../version-files.ts'

/**
 * A folder of its own for what a run leaves behind: `<runs>/<model>/<time>`, whole or not at all.
 *
 * @param write lays the files into the folder it is given
 * @returns the folder's path
 */
export async function writeRunFolder (runsDir: string, model: string, write: (folder: string) => Promise<void>): Promise<string> {
  const home = join(runsDir, model)
  const name = new Date().toISOString().replaceAll(':', '-')
  const aside = join(home, `.tmp-${randomUUID()}`)
  await mkdir(aside, { recursive: true })
  try {
    await write(aside)
    await syncFiles(aside)
    await rename(aside, join(home, name))
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
  await syncFiles(home, { deep: false })
  return join(home, name)
}

/** Numbers that JSON does not have are written as `"NaN"`, `"Infinity"`, `"-Infinity"`. */
export async function writeJson (folder: string, name: string, value: unknown): Promise<void> {
  const text = JSON.stringify(value, (_key, part: unknown) => typeof part === 'number' && !Number.isFinite(part) ? String(part) : part, 1)
  await writeFile(join(folder, name), `${text}\n`)
}
