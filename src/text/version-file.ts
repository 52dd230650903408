import { readFile } from 'node:fs/promises'
import { join, normalize, isAbsolute } from 'node:path'
import { BadManifestError } from '../errors.ts'

/**
 * Reads a text file that a manifest names.
 *
 * @param name relative to the version's directory, and in it
 * @throws BadManifestError if it lies elsewhere, can not be read, is empty or is not UTF-8
 */
export async function readVersionFile (directory: string, name: string): Promise<string> {
  const path = join(directory, name)
  if (isAbsolute(name) || normalize(name).startsWith('..')) throw new BadManifestError(path, 'a tokenizer\'s file has to be in the version\'s directory')
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new BadManifestError(path, `the tokenizer's file can not be read (${error.code ?? error.message})`)
  })
  if (bytes.length === 0) throw new BadManifestError(path, 'the tokenizer\'s file is empty')
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new BadManifestError(path, 'the tokenizer\'s file is not UTF-8 text')
  }
}

/** @returns its lines; line ends may be \n or \r\n, the last may be missing */
export function lines (text: string): string[] {
  const list = text.split('\n')
  if (list.at(-1) === '') list.pop()
  const isWindows = list.every((line, index) => line.endsWith('\r') || index === list.length - 1)
  return isWindows && list.length > 1 ? list.map(line => line.endsWith('\r') ? line.slice(0, -1) : line) : list
}
