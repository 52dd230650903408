import { randomUUID } from 'node:crypto'
import { access, constants, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BadOptionError } from '../errors.ts'
import { parseManifest, type Manifest } from '../registry/manifest.ts'
import { MODEL_NAME } from '../registry/scan.ts'
import { hashFiles, syncFiles } from './version-files.ts'

/** What was left aside for longer belongs to nobody any more: an export that was killed. */
const STALE_MS = 3_600_000
const ASIDE = '.tmp-'

/** What a version says of itself, but for the files, which `exportVersion` adds. */
export type VersionManifest = Omit<Manifest, 'format' | 'files'>

interface ExportOptions {
  /** Default: one more than the highest there. */
  version?: number
}

export interface ExportedVersion {
  readonly version: number
  /** `<modelsDir>/<model>/<version>` */
  readonly directory: string
}

/**
 * Adds a version to the models folder, whole or not at all: written aside, every file flushed to the disk, then renamed in. A running
 * server sees it within seconds. If anything fails, nothing is left.
 *
 * @param write lays the SavedModel and its other files into the directory it is given, and says what the manifest is to say
 * @throws BadOptionError if the name is not a model's, or `options.version` is there already
 * @throws BadManifestError if what `write` says breaks the schema
 */
export async function exportVersion (modelsDir: string, model: string, write: (directory: string) => Promise<VersionManifest>, options: ExportOptions = {}): Promise<ExportedVersion> {
  checkRequest(model, options)
  const home = join(modelsDir, model)
  await mkdir(home, { recursive: true })
  await removeStale(home)
  await refuseTaken(home, options.version)
  const aside = join(home, `${ASIDE}${randomUUID()}`)
  await mkdir(aside)
  try {
    await writeManifest(aside, await write(aside))
    await syncFiles(aside)
    return await renameIn(home, aside, options.version)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

/** Versions that a model's folder has, lowest first; leading zeros do not count. Empty if there is no such folder. */
export async function existingVersions (modelsDir: string, model: string): Promise<ExportedVersion[]> {
  return await versionsIn(join(modelsDir, model))
}

async function versionsIn (home: string): Promise<ExportedVersion[]> {
  const names = await readdir(home).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names.filter(name => /^\d+$/.test(name))
    .map(name => ({ version: Number(name), directory: join(home, name) }))
    .sort((a, b) => a.version - b.version)
}

/** For a run that takes long to fail early. @throws BadOptionError if the name is not a model's, or the folder can't be made or written to */
export async function checkDestination (modelsDir: string, model: string): Promise<void> {
  checkName(model)
  try {
    await mkdir(modelsDir, { recursive: true })
    await access(modelsDir, constants.W_OK)
  } catch (error) {
    throw new BadOptionError(`Models can not be written to ${modelsDir}: ${(error as Error).message}`)
  }
}

function checkName (model: string): void {
  if (!MODEL_NAME.test(model)) throw new BadOptionError(`"${model}" can not be a model's name: letters, digits, ".", "_" and "-", 128 at most, a letter or digit first`)
}

function checkRequest (model: string, { version }: ExportOptions): void {
  checkName(model)
  if (version !== undefined && !(Number.isSafeInteger(version) && version > 0)) throw new BadOptionError(`A version is a whole number from 1, not ${version}`)
}

async function refuseTaken (home: string, version: number | undefined): Promise<void> {
  const taken = (await versionsIn(home)).find(existing => existing.version === version)
  if (taken !== undefined) throw new BadOptionError(`${taken.directory} is there already and versions never change: choose another number, or remove it first`)
}

async function writeManifest (directory: string, manifest: VersionManifest): Promise<void> {
  const path = join(directory, 'model.json')
  const text = JSON.stringify({ format: 1, ...manifest, files: await hashFiles(directory) }, null, 1)
  parseManifest(path, text)
  const file = await open(path, 'wx')
  try {
    await file.writeFile(`${text}\n`)
  } finally {
    await file.close()
  }
}

/** Where no number was given, takes the next one that nobody else took meanwhile. */
async function renameIn (home: string, aside: string, wanted: number | undefined): Promise<ExportedVersion> {
  for (;;) {
    const version = wanted ?? ((await versionsIn(home)).at(-1)?.version ?? 0) + 1
    const directory = join(home, String(version))
    try {
      await rename(aside, directory)
      await syncFiles(home, { deep: false })
      return { version, directory }
    } catch (error) {
      if (!isTaken(error)) throw error
      await refuseTaken(home, wanted)
    }
  }
}

function isTaken (error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOTEMPTY' || code === 'EEXIST'
}

async function removeStale (home: string): Promise<void> {
  const names = (await readdir(home)).filter(name => name.startsWith(ASIDE))
  for (const name of names) {
    const path = join(home, name)
    const changedMs = (await stat(path).catch(() => undefined))?.mtimeMs ?? Infinity
    if (Date.now() - changedMs > STALE_MS) await rm(path, { recursive: true, force: true })
  }
}
