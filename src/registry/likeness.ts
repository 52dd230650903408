import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { SessionOptions } from '../tensorflow/index.ts'
import type { Candidate } from './smoke-run.ts'

/** What decides how a version is run best, as far as it can be seen without running it: what is measured of one holds for another that is alike. */
export interface Likeness {
  /** Signatures and what the manifest says of running them, as text. */
  readonly form: string
  readonly graphBytes: number
  readonly variableBytes: number
}

/** Names in a graph may hold numbers that count up: one in so many bytes may come or go. */
const GRAPH_BYTES_APART = 0.01

export async function likenessOf ({ loaded: { directory }, signatures, manifest }: Candidate, session: SessionOptions): Promise<Likeness> {
  const { signature, input, output, image, text, batchSizes, engine } = manifest
  const { size } = await stat(join(directory, 'saved_model.pb'))
  return { form: JSON.stringify({ signatures, signature, input, output, image, text, batchSizes, engine, session }), graphBytes: size, variableBytes: await variableBytes(directory) }
}

/** The same architecture with other weights, most likely. Pure. */
export function areAlike (a: Likeness, b: Likeness): boolean {
  return a.form === b.form && a.variableBytes === b.variableBytes && Math.abs(a.graphBytes - b.graphBytes) <= GRAPH_BYTES_APART * a.graphBytes
}

/** Of a SavedModel's files of variables. */
export async function variableBytes (directory: string): Promise<number> {
  const folder = join(directory, 'variables')
  const names = await readdir(folder).catch(() => [])
  const sizes = await Promise.all(names.filter(name => name.includes('.data-')).map(async name => (await stat(join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
