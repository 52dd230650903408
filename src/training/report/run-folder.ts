import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatJson } from '../format-json.ts'
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

export async function writeJson (folder: string, name: string, value: unknown): Promise<void> {
  await writeFile(join(folder, name), formatJson(value))
}
