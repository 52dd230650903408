import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BadManifestError, BadSavedModelError } from '../errors.ts'
import { hashFile } from './hash-file.ts'
import { parseManifest, type Manifest } from './manifest.ts'

/** Parsing happens on the event loop; a larger manifest would hold it up. */
const MAX_BYTES = 4 * 1024 * 1024

export interface ReadManifest {
  readonly path: string
  readonly manifest: Manifest
}

/**
 * The manifest of a version: its own `model.json`, else the one beside the model's versions.
 *
 * @returns undefined where there is neither
 * @throws BadManifestError if it is too large, not JSON or breaks the schema
 */
export async function readManifest (directory: string): Promise<ReadManifest | undefined> {
  for (const path of [join(directory, 'model.json'), join(directory, '..', 'model.json')]) {
    const text = await readIfThere(path)
    if (text !== undefined) return { path, manifest: parseManifest(path, text) }
  }
  return undefined
}

async function readIfThere (path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path)
    if (size > MAX_BYTES) throw new BadManifestError(path, `has ${size} bytes, allowed are ${MAX_BYTES}`)
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Checks that the version's files are those that the manifest names, byte for byte.
 *
 * @throws BadSavedModelError for the first file that is missing or has another SHA-256
 * @throws BadManifestError for a name that leads out of the directory
 */
export async function verifyFiles (directory: string, { path, manifest }: ReadManifest): Promise<void> {
  for (const [name, expected] of Object.entries(manifest.files ?? {})) {
    refuseOutside(path, name)
    const found = await hashFile(join(directory, name)).catch((error: unknown) => {
      throw new BadSavedModelError(directory, `${name}, which model.json lists, can not be read: ${(error as Error).message}`)
    })
    if (found !== expected) throw new BadSavedModelError(directory, `${name} has SHA-256 ${found}, model.json records ${expected}: it was changed or not copied whole`)
  }
}

/** @throws BadManifestError if the tokenizer's file is not in the version's directory */
export async function verifyTokenizer (directory: string, { path, manifest }: ReadManifest): Promise<void> {
  const tokenizer = manifest.text?.tokenizer
  if (tokenizer === undefined) return
  const name = tokenizer.kind === 'hugging-face' ? tokenizer.file : tokenizer.vocabulary
  refuseOutside(path, name)
  const isThere = await stat(join(directory, name)).then(info => info.isFile(), () => false)
  if (!isThere) throw new BadManifestError(path, `names tokenizer file "${name}", which is not in the version's directory`)
}

function refuseOutside (path: string, name: string): void {
  const isOutside = name.startsWith('/') || /[\\\0]/.test(name) || name.split('/').includes('..')
  if (isOutside) throw new BadManifestError(path, `names file ${JSON.stringify(name)}, which is not inside the version's directory`)
}
