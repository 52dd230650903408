import { pathToFileURL } from 'node:url'
import { loadLibrary } from '../../tensorflow/index.ts'
import { reasonOf } from '../options.ts'
import { readRequest, USAGE } from './command-line.ts'
import { importVersion } from './import-version.ts'

interface CommandContext {
  readonly out: Pick<NodeJS.WritableStream, 'write'>
  readonly err: Pick<NodeJS.WritableStream, 'write'>
}

/**
 * `npm run import -- <path> [options]`
 *
 * @param argv without node and script
 * @returns the exit code: 0 if a version was added or help was asked for, 1 if not and the reason was printed
 */
export async function main (argv: readonly string[], { out, err }: CommandContext): Promise<number> {
  try {
    const request = await readRequest(argv)
    if (request === undefined) {
      out.write(USAGE)
      return 0
    }
    loadLibrary()
    await importVersion({ ...request, command: ['npm run import --', ...argv].join(' '), say: line => { out.write(`${line}\n`) } })
    return 0
  } catch (error) {
    err.write(`${reasonOf(error)}\n`)
    return 1
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = await main(process.argv.slice(2), { out: process.stdout, err: process.stderr })
