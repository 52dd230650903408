import { execFile } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Finding } from './finding.ts'

const LEAST_FREE_BYTES = 2e9
const LIMIT_MS = 20_000

/** @returns what the program prints; undefined if it is not there, fails or takes longer than 20 s */
export async function outputOf (file: string, args: readonly string[]): Promise<string | undefined> {
  return await new Promise(resolve => {
    execFile(file, args, { timeout: LIMIT_MS }, (error, stdout) => { resolve(error === null ? stdout.trim() : undefined) })
  })
}

/** What the set-up uses; a server that is set up needs none of it. */
export async function checkTools (output = outputOf): Promise<Finding[]> {
  const python = await output('python3', ['--version'])
  const pip = await output('python3', ['-m', 'pip', '--version'])
  const compiler = await output('c++', ['--version'])
  return [
    pip !== undefined
      ? { status: 'ok', subject: 'Python', found: `${python ?? ''}, ${pip.replace(/ from .*/, '')}` }
      : { status: 'warning', subject: 'Python', found: python === undefined ? 'no python3: the set-up can not fetch libtensorflow' : `${python} without pip: the set-up can not fetch libtensorflow`, remedy: 'install python3 with pip (apt-get install python3-pip, brew install python)' },
    compiler !== undefined
      ? { status: 'ok', subject: 'compiler', found: compiler.split('\n')[0] ?? '' }
      : { status: 'warning', subject: 'compiler', found: 'none: training works without, but LSTMs learn slower, and tfjs-node\'s addon is not built', remedy: 'install a C++ compiler and make (apt-get install g++ make, xcode-select --install)' }
  ]
}

/** @param directory need not be there yet */
export async function checkDisk (directory: string): Promise<Finding> {
  const { bavail, bsize } = await nearestFileSystem(directory)
  const free = bavail * bsize
  const found = `${(free / 1e9).toFixed(1)} GB free for ${directory}`
  if (free >= LEAST_FREE_BYTES) return { status: 'ok', subject: 'disk', found }
  return { status: 'warning', subject: 'disk', found, remedy: 'free some: fetching libtensorflow takes 1.2 GB, 6 GB for a GPU' }
}

async function nearestFileSystem (directory: string): Promise<{ bavail: number, bsize: number }> {
  try {
    return await statfs(directory)
  } catch (error) {
    if (dirname(directory) === directory) throw error
    return await nearestFileSystem(dirname(directory))
  }
}
