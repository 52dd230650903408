import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FoundView } from './version-policy.ts'

/** A version's directory. */
export interface FoundVersion extends FoundView {
  /** The directory's name: the number as written, leading zeros and all. */
  readonly folder: string
  readonly directory: string
  /** Newest change of any of its files, milliseconds since 1970 by the file system's clock. */
  readonly changedAtMs: number
}

/** A directory that can not be served whatever is in it. */
export interface RefusedVersion {
  readonly version: number
  readonly folder: string
  readonly reason: string
}

export interface FoundModel {
  readonly name: string
  /** Numbers are unique; lowest first. */
  readonly versions: readonly FoundVersion[]
  readonly refused: readonly RefusedVersion[]
}

export type Scan =
  /** `unreadable`: models whose folder is there and could not be read this time. */
  | { readonly kind: 'read', readonly models: readonly FoundModel[], readonly unreadable: readonly string[], readonly warnings: readonly string[] }
  /** The models folder itself is missing or can not be read. */
  | { readonly kind: 'unreadable', readonly reason: string }

/** What the scan before saw: fingerprints by version directory. */
export type Fingerprints = ReadonlyMap<string, string>

export interface ScanOptions {
  readonly previous: Fingerprints
  /** Now, milliseconds since 1970. */
  readonly now: number
  /** Files that did not change for so long are at rest, even at first sight. */
  readonly restMs: number
}

/** What a model's folder may be called. */
export const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
/** More files of a version are not looked at. */
const MAX_FILES = 10_000

/** Names of files that are being written aside, to be renamed later. */
const isAside = (name: string): boolean => name.startsWith('.') || name.endsWith('.tmp')

/** Reads what is in the models folder: `<name>/<version>/`. Reads names, sizes and times, never contents. Links are followed. */
export async function scanModels (root: string, options: ScanOptions): Promise<Scan> {
  let names: string[]
  try {
    names = await readdir(root)
  } catch (error) {
    return { kind: 'unreadable', reason: reasonOf(error) }
  }
  const models: FoundModel[] = []
  const unreadable: string[] = []
  const warnings: string[] = []
  for (const name of names.filter(name => !isAside(name)).sort()) {
    try {
      if (!(await stat(join(root, name))).isDirectory()) continue
      if (MODEL_NAME.test(name)) models.push(await scanModel(join(root, name), name, options, warnings))
      else warnings.push(`${JSON.stringify(name)} is not served: a model's name has letters, digits, ".", "_" and "-", 128 at most, and begins with a letter or digit`)
    } catch (error) {
      if (isGone(error)) continue
      unreadable.push(name)
      warnings.push(`${name} can not be read: ${reasonOf(error)}`)
    }
  }
  return { kind: 'read', models, unreadable, warnings }
}

/** Fingerprints to give the next scan. */
export function fingerprintsOf (models: readonly FoundModel[]): Fingerprints {
  return new Map(models.flatMap(({ versions }) => versions.map(({ directory, fingerprint }) => [directory, fingerprint])))
}

async function scanModel (directory: string, name: string, options: ScanOptions, warnings: string[]): Promise<FoundModel> {
  const entries = (await readdir(directory)).filter(entry => !isAside(entry)).sort()
  if (entries.includes('saved_model.pb')) warnings.push(`${name} holds a SavedModel itself: move it into ${name}/1`)
  const versions = new Map<number, FoundVersion>()
  const refused: RefusedVersion[] = []
  for (const folder of entries.reverse()) {
    const path = join(directory, folder)
    if ((await statIfThere(path))?.isDirectory() !== true) continue
    const version = versionNumber(folder)
    const taken = versions.get(version ?? -1)
    if (version === undefined) warnings.push(`${name}/${folder} is not served: a version's directory is named by its number`)
    else if (taken !== undefined) refused.push({ version, folder, reason: `${folder} and ${taken.folder} are the same number: ${taken.folder} is taken` })
    else versions.set(version, await scanVersion(path, folder, version, options))
  }
  return { name, versions: [...versions.values()].sort((a, b) => a.version - b.version), refused }
}

/** @returns undefined for a name that is not a number, or one above what JavaScript counts exactly */
function versionNumber (folder: string): number | undefined {
  if (!/^\d+$/.test(folder)) return undefined
  const version = Number(folder)
  return Number.isSafeInteger(version) ? version : undefined
}

async function scanVersion (directory: string, folder: string, version: number, { previous, now, restMs }: ScanOptions): Promise<FoundVersion> {
  const files = new FileList()
  await files.addFile(directory, '')
  // A manifest beside the versions belongs to those that have none of their own.
  if (!files.has('model.json')) await files.addFile(join(directory, '..', 'model.json'), '../model.json')
  const fingerprint = files.fingerprint()
  const isLongAtRest = files.changedAtMs > 0 && now - files.changedAtMs >= restMs
  const isAtRest = previous.get(directory) === fingerprint || isLongAtRest
  return { version, folder, directory, fingerprint, changedAtMs: files.changedAtMs, settled: isAtRest }
}

/** Names, sizes, times and identities of a directory's files. */
class FileList {
  readonly #lines: string[] = []
  changedAtMs = 0

  has (name: string): boolean {
    return this.#lines.some(line => line.startsWith(`${name}\0`))
  }

  fingerprint (): string {
    return createHash('sha1').update(this.#lines.join('\n')).digest('hex')
  }

  /** @param within directories that lead here, by identity: a link back to one of them is not followed */
  async addFile (path: string, name: string, within: readonly string[] = []): Promise<void> {
    const info = await statIfThere(path)
    if (info === undefined) return
    this.changedAtMs = Math.max(this.changedAtMs, info.ctimeMs)
    this.#lines.push(info.isDirectory() ? `${name}/` : `${name}\0${info.size} ${info.mtimeMs} ${info.ino}`)
    const identity = `${info.dev} ${info.ino}`
    if (info.isDirectory() && !within.includes(identity)) await this.#addAll(path, name, [...within, identity])
  }

  async #addAll (directory: string, prefix: string, within: readonly string[]): Promise<void> {
    const names = await readdir(directory).catch(ifGone([]))
    for (const name of names.filter(name => !isAside(name)).sort()) {
      if (this.#lines.length >= MAX_FILES) return
      await this.addFile(join(directory, name), prefix === '' ? name : `${prefix}/${name}`, within)
    }
  }
}

async function statIfThere (path: string): Promise<Stats | undefined> {
  return await stat(path).catch(ifGone(undefined))
}

function ifGone<Value> (value: Value): (error: unknown) => Value {
  return error => {
    if (isGone(error)) return value
    throw error
  }
}

function isGone (error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP'
}

function reasonOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
