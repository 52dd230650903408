import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BadOptionError } from '../../errors.ts'
import { loadLibrary } from '../../tensorflow/index.ts'
import { parseCommand, reasonOf } from '../options.ts'
import { lineGrid, savePicture } from '../plotting/index.ts'
import type { ProgressStream } from '../progress.ts'
import { activationCurves } from './activation-curves.ts'
import type { Curve } from './curve.ts'
import { lossCurves } from './loss-curves.ts'
import { scheduleCurves } from './schedule-curves.ts'

export interface PlotContext {
  readonly out: Pick<ProgressStream, 'write'>
  readonly err: Pick<ProgressStream, 'write'>
}

const OPTIONS = {
  out: { type: 'string', default: join('runs', 'plots') },
  help: { type: 'boolean', short: 'h', default: false }
} as const

const COLUMNS = 4

/** Each gives an SVG file. */
const PICTURES: Readonly<Record<string, { readonly what: string, readonly draw: () => Promise<string> }>> = {
  activations: { what: 'what activations give for −4…4', draw: async () => panels('Activation functions', await activationCurves(), 'x') },
  losses: {
    what: 'what losses say of a prediction',
    draw: async () => lineGrid('Loss functions', (await lossCurves()).map(({ curves, ...group }) => ({ ...group, lines: curves })), 2)
  },
  schedules: { what: 'the learning rate over 1000 steps', draw: async () => panels('Learning-rate schedules', scheduleCurves(), 'step') }
}

/**
 * `npm run plot -- <picture>… [--out DIR]`
 *
 * @param argv without node and script
 * @returns the exit code: 0 if all were drawn, or only help was asked for, 1 if not and the reason was printed
 */
export async function main (argv: readonly string[], { out, err }: PlotContext): Promise<number> {
  try {
    const { values, positionals } = parseCommand(argv, OPTIONS, usage)
    if (values.help) {
      out.write(usage())
      return 0
    }
    const pictures = positionals.map(name => Object.hasOwn(PICTURES, name) ? { name, ...PICTURES[name]! } : unknown(name))
    if (pictures.length === 0) throw new BadOptionError(`Name a picture.\n\n${usage()}`)
    loadLibrary()
    await mkdir(values.out, { recursive: true })
    for (const { name, draw } of pictures) {
      await savePicture(values.out, name, await draw())
      out.write(`Drew ${join(values.out, name)}.svg and .png\n`)
    }
    return 0
  } catch (error) {
    err.write(`${reasonOf(error)}\n`)
    return 1
  }
}

function panels (title: string, curves: readonly Curve[], xName: string): string {
  return lineGrid(title, curves.map(curve => ({ title: curve.name, xName, lines: [curve] })), COLUMNS)
}

function unknown (name: string): never {
  throw new BadOptionError(`There is no picture "${name}"; there are: ${Object.keys(PICTURES).join(', ')}`)
}

function usage (): string {
  const width = Math.max(...Object.keys(PICTURES).map(({ length }) => length))
  const list = Object.entries(PICTURES).map(([name, { what }]) => `  ${name.padEnd(width)}  ${what}\n`).join('')
  return `Draws what models are made of, by the very operations that they run, as SVG and PNG.

  npm run plot -- <picture>… [--out DIR]

Pictures:
${list}
Options:
  --out DIR   where they are written; default ${OPTIONS.out.default}
  -h, --help  this
`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = await main(process.argv.slice(2), { out: process.stdout, err: process.stderr })
