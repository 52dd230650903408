import { readFile } from 'node:fs/promises'
import { offLoop } from './c-api.ts'
import { libc } from './library.ts'

/** The pages are not in use: who reads one again gets it from the file. @see madvise(2) */
const MADV_DONTNEED = 4
/** Mappings smaller than this are left alone. */
const LEAST_BYTES = 2 ** 20

/** A part of the process's memory. */
interface Mapping {
  readonly address: number
  readonly sizeBytes: number
}

/** Gives memory that was freed back to the system (glibc's malloc_trim), off the event loop. Does nothing on other C libraries. */
export async function releaseFreed (): Promise<void> {
  const trim = libc().malloc_trim
  if (trim !== undefined) await offLoop(trim, 0)
}

/**
 * Gives back to the system, off the event loop, what opening libraries and loading models took and serving does not need: memory that was freed, and the
 * pages of shared libraries that were read and never written. To open libtensorflow and to build a session touches nearly all of its 250 MB, to run one a tenth. What is
 * needed again comes back from the file system's cache, 16 pages at a time. Does nothing on systems that have neither.
 */
export async function releaseMemory (): Promise<void> {
  await releaseFreed()
  const { madvise } = libc()
  if (madvise === undefined) return
  for (const { address, sizeBytes } of unwrittenParts(await readMappings())) await offLoop(madvise, address, sizeBytes, MADV_DONTNEED)
}

async function readMappings (): Promise<string> {
  try {
    return await readFile('/proc/self/smaps', 'latin1')
  } catch {
    return '' // no /proc: nothing is given back
  }
}

const HEAD = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ +(\/\S+)$/
/** No page of it is the process's own, be it in memory or swapped out. */
const AS_IN_FILE = [/^Anonymous: +0 kB$/m, /^Swap: +0 kB$/m]

/**
 * Parts of shared libraries that can't be written and never were, by relocation neither: they are as in the file. Pure.
 *
 * @param mappings as in proc_pid_smaps(5)
 */
export function unwrittenParts (mappings: string): Mapping[] {
  return mappings.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap(part => {
    const [, from = '', to = '', permissions = '', path = ''] = HEAD.exec(part.slice(0, part.indexOf('\n'))) ?? []
    const [address, sizeBytes] = [Number.parseInt(from, 16), Number.parseInt(to, 16) - Number.parseInt(from, 16)]
    return /^r-.p$/.test(permissions) && /\.so(\.\d+)*$/.test(path) && sizeBytes >= LEAST_BYTES && AS_IN_FILE.every(line => line.test(part)) ? [{ address, sizeBytes }] : []
  })
}
