import { readFile } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { BadOptionError } from '../../errors.ts'
import { checkDestination } from '../export.ts'
import { oneOf, parseCommand } from '../options.ts'
import { PIXELS, type Purpose } from './purpose.ts'

export interface ImportRequest {
  /** As the user gave it: a file, or a folder with a `model.json`. */
  readonly path: string
  readonly modelsDir: string
  readonly model: string
  readonly purpose: Purpose
}

const OPTIONS = {
  name: { type: 'string' },
  models: { type: 'string', default: 'models' },
  task: { type: 'string' },
  labels: { type: 'string' },
  pixels: { type: 'string' },
  vocabulary: { type: 'string' },
  activation: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false }
} as const

const TASKS = ['image-classification', 'text-classification', 'tensor'] as const
const ACTIVATIONS = ['none', 'softmax', 'sigmoid'] as const

/** What `--help` prints. */
export const USAGE = `Imports a model that others trained and adds it to the models folder, where a running server finds it.

  npm run import -- <path> [options]

Path:
  model.json        a layers or graph model of TensorFlow.js, its weights beside it; or the folder
  *.keras, *.h5     a whole model of Keras (model.save)

Options:
  --name NAME       the model's name; default the file's
  --models DIR      where models are; default models
  --task TASK       ${TASKS.join(', ')}; default what its inputs and outputs look like
  --labels FILE     class names, one a line
  --pixels RANGE    what an image model takes: bytes 0 to 255, unit 0 to 1, signed -1 to 1
  --vocabulary FILE a text model's tokens, one a line, as Keras's TextVectorization has them
  --activation NAME what the output still needs to be probabilities: ${ACTIVATIONS.join(', ')}
  -h, --help        this
`

/**
 * @param argv without node and script
 * @returns undefined if help was asked for
 * @throws BadOptionError
 */
export async function readRequest (argv: readonly string[]): Promise<ImportRequest | undefined> {
  const { values, positionals: [path, ...rest] } = parseCommand(argv, OPTIONS, () => USAGE)
  if (values.help) return undefined
  if (path === undefined) throw new BadOptionError(`Name the model to import.\n\n${USAGE}`)
  if (rest.length > 0) throw new BadOptionError(`There is one model an import; "${rest.join(' ')}" is too much`)
  const model = values.name ?? nameOf(path)
  await checkDestination(values.models, model)
  const { task, pixels, activation } = values
  return {
    path,
    modelsDir: values.models,
    model,
    purpose: {
      ...(task !== undefined && { task: oneOf('task', task, TASKS) }),
      ...(pixels !== undefined && { pixels: oneOf('pixels', pixels, PIXELS) }),
      ...(activation !== undefined && { activation: oneOf('activation', activation, ACTIVATIONS) }),
      ...(values.labels !== undefined && { labels: await readLines('labels', values.labels) }),
      ...(values.vocabulary !== undefined && { vocabulary: ownTokens(await readLines('vocabulary', values.vocabulary)) })
    }
  }
}

/** A last line feed ends the last line. */
async function readLines (option: string, path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: Error) => { throw new BadOptionError(`--${option} can not be read: ${error.message}`) })
  return text.replace(/\r?\n$/, '').split(/\r?\n/)
}

/** Keras lists its padding and its unknown token first. */
function ownTokens (lines: readonly string[]): readonly string[] {
  return lines[0] === '' && lines[1] === '[UNK]' ? lines.slice(2) : lines
}

/** The file's name without its ending, or its folder's where it is called as they all are, in the letters that a model's may have. */
function nameOf (path: string): string {
  const file = basename(resolve(path))
  const own = file === 'model.json' ? basename(dirname(resolve(path))) : file.replace(/\.(keras|h5|hdf5|json|safetensors|pth|pt)$/, '')
  const name = own.replace(/[^\w.-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '').slice(0, 128)
  return name === '' ? 'imported' : name
}
