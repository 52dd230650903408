import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The clone, found from here upwards: this file runs from load/ and, compiled, from dist/.load/load/. */
export const ROOT = rootAbove(dirname(fileURLToPath(import.meta.url)))

/** Images and models that are not part of the clone; scenarios that want them are skipped without. */
export const SHARED = join(ROOT, '..', 'shared')

/** A module of load/ that runs as a process of its own. @param name as `bare-loop` */
export function programPath (name: string): string {
  const path = fileURLToPath(import.meta.url)
  return join(dirname(path), name + (path.endsWith('.ts') ? '.ts' : '.js'))
}

function rootAbove (directory: string): string {
  if (existsSync(join(directory, 'package-lock.json'))) return directory
  if (dirname(directory) === directory) throw new Error('There is no package-lock.json above load/. This is a bug.')
  return rootAbove(dirname(directory))
}
