import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BadOptionError } from '../../errors.ts'
import { pixelsToPng } from '../../image/index.ts'
import type { Ranking } from '../../prediction/rank.ts'
import { loadLibrary } from '../../tensorflow/index.ts'
import { createPhotoDecoder } from '../datasets/photo-decoder.ts'
import { parseCommand, reasonOf, wholeNumber } from '../options.ts'
import { patchOverlay, savePicture, waterfallChart, wordOverlay } from '../plotting/index.ts'
import { ProgressReporter, type ProgressStream } from '../progress.ts'
import { imageSubject, type ImageSubject } from './explain-image.ts'
import { textSubject } from './explain-text.ts'
import { serveAlone } from './served-alone.ts'
import { shapleyValues, type ShapleyValues } from './shapley.ts'
import type { Subject } from './subject.ts'

export interface ExplainContext {
  readonly out: ProgressStream
  readonly err: Pick<ProgressStream, 'write'>
}

const OPTIONS = {
  models: { type: 'string', default: 'models' },
  version: { type: 'string' },
  text: { type: 'string' },
  class: { type: 'string' },
  grid: { type: 'string', default: '8' },
  orders: { type: 'string', default: '20' },
  seed: { type: 'string', default: '1' },
  out: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false }
} as const

/** Steps of the picture; what others add is one more. */
const STEPS_SHOWN = 12

/**
 * `npm run explain -- <model> <photo> | --text "…" [options]`
 *
 * @param argv without node and script
 * @returns the exit code: 0 if the answer was explained, or only help was asked for, 1 if not and the reason was printed
 */
export async function main (argv: readonly string[], { out, err }: ExplainContext): Promise<number> {
  try {
    const request = readRequest(argv)
    if (request === undefined) out.write(USAGE)
    else await explain(request, out)
    return 0
  } catch (error) {
    err.write(`${reasonOf(error)}\n`)
    return 1
  }
}

interface Request {
  readonly model: string
  readonly modelsDir: string
  readonly version: number | undefined
  /** The path of a photo, or a text. */
  readonly input: { readonly photo: string } | { readonly text: string }
  /** Label or number; default what the model takes the input for. */
  readonly chosen: string | undefined
  readonly grid: number
  readonly orders: number
  readonly seed: number
  readonly folder: string
}

async function explain (request: Request, out: ProgressStream): Promise<void> {
  const { input, orders, seed, folder } = request
  const photo = 'photo' in input ? await readFile(input.photo).catch((error: Error) => { throw new BadOptionError(`The photo can not be read: ${error.message}`) }) : undefined
  loadLibrary()
  const served = await serveAlone(request.modelsDir, request.model, request.version)
  try {
    const subject = photo === undefined ? textSubject(served, 'text' in input ? input.text : '') : await imageSubject(served, createPhotoDecoder(), photo, request.grid)
    const features = subject.features.length
    const [ranking] = await subject.predict([new Uint8Array(features).fill(1)])
    const { index, label } = classOf(ranking!, served.version.manifest.labels, request.chosen)
    out.write(`${served.version.model} ${served.version.version} takes it for ${ranking!.label} (${ranking!.confidence.toFixed(3)}); what speaks for ${label}:\n`)
    const progress = new ProgressReporter(out)
    progress.start()
    const found = await shapleyValues(async rows => (await subject.predict(rows)).map(({ all_probabilities: probabilities }) => probabilities[index]!), {
      features, orders, seed, onOrder: (done, all) => { progress.show('Orders of its parts', done, all) }
    })
    progress.finish('Orders of its parts', orders)
    await report(folder, subject, label, found)
    for (const { name, value } of strongest(subject.features, found).slice(0, STEPS_SHOWN)) out.write(`${(value > 0 ? '+' : '') + value.toFixed(4)}  ${name}\n`)
    out.write(`${found.baseline.toFixed(4)} without any of it, ${found.score.toFixed(4)} with all; largest standard error ${Math.max(...found.errors).toFixed(4)}\nPictures and numbers: ${folder}\n`)
  } finally {
    await served.dispose()
  }
}

function classOf ({ predicted_class: predicted, all_probabilities: { length } }: Ranking, labels: readonly string[] | undefined, chosen: string | undefined): { index: number, label: string } {
  const name = (index: number): string => labels?.[index] ?? String(index)
  if (chosen === undefined) return { index: predicted, label: name(predicted) }
  const index = labels?.includes(chosen) === true ? labels.indexOf(chosen) : /^\d+$/.test(chosen) ? Number(chosen) : -1
  if (index < 0 || index >= length) throw new BadOptionError(`--class takes one of the model's ${length} classes, not "${chosen}"${labels === undefined ? '' : `: ${labels.slice(0, 20).join(', ')}${labels.length > 20 ? ', …' : ''}`}`)
  return { index, label: name(index) }
}

interface Part { readonly name: string, readonly value: number }

function strongest (features: readonly string[], { values }: ShapleyValues): Part[] {
  return features.map((name, index) => ({ name, value: values[index]! })).sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
}

async function report (folder: string, subject: Subject | ImageSubject, label: string, found: ShapleyValues): Promise<void> {
  await mkdir(folder, { recursive: true })
  const { features } = subject
  const values = [...found.values]
  await writeFile(join(folder, 'shapley-values.json'), `${JSON.stringify({ class: label, score: found.score, baseline: found.baseline, features: features.map((name, index) => ({ name, value: values[index], error: found.errors[index] })) }, null, 1)}\n`)
  const title = `What speaks for ${label}`
  if ('pixels' in subject) {
    const { contract: { width, height, channels }, pixels, grid } = subject
    await savePicture(folder, 'overlay', patchOverlay(title, await pixelsToPng(pixels, width, height, channels), grid, values, { width, height }))
  } else {
    await savePicture(folder, 'overlay', wordOverlay(title, features, values))
  }
  const parts = strongest(features, found)
  const others = parts.slice(STEPS_SHOWN)
  const steps = [...parts.slice(0, STEPS_SHOWN), ...(others.length === 0 ? [] : [{ name: `${others.length} others`, value: others.reduce((sum, { value }) => sum + value, 0) }])]
  await savePicture(folder, 'waterfall', waterfallChart(title, { name: 'without any of it', value: found.baseline }, steps, 'with all'))
}

/** @returns undefined if help was asked for */
function readRequest (argv: readonly string[]): Request | undefined {
  const { values, positionals: [model, photo, ...rest] } = parseCommand(argv, OPTIONS, () => USAGE)
  if (values.help) return undefined
  if (model === undefined) throw new BadOptionError(`Name a model.\n\n${USAGE}`)
  if (rest.length > 0) throw new BadOptionError(`There is one photo a run; "${rest.join(' ')}" is too much`)
  if ((photo === undefined) === (values.text === undefined)) throw new BadOptionError('Name a photo, or give a text with --text, and not both')
  return {
    model,
    modelsDir: values.models,
    version: values.version === undefined ? undefined : wholeNumber('version', values.version, 0, 0),
    input: photo === undefined ? { text: values.text! } : { photo },
    chosen: values.class,
    grid: wholeNumber('grid', values.grid, 8, 2),
    orders: wholeNumber('orders', values.orders, 20, 2),
    seed: wholeNumber('seed', values.seed, 1, 0),
    folder: values.out ?? join('runs', 'explain', model)
  }
}

const USAGE = `Says which parts of a photo, or which words of a text, speak for a model's answer: Shapley values (SHAP).

  npm run explain -- <model> <photo> | --text "…" [options]

Options:
  --class NAME   the class whose probability is explained, by label or number; default the most probable one
  --grid N       a photo's parts are N×N patches; one that is left out has the photo's mean colour; default ${OPTIONS.grid.default}
  --orders N     orders in which parts are added, each also backwards; more are surer and slower; default ${OPTIONS.orders.default}
  --seed N       decides the orders
  --models DIR   where models are; default ${OPTIONS.models.default}
  --version N    default the newest
  --out DIR      where pictures and numbers are written; default ${join('runs', 'explain', '<model>')}
  -h, --help     this
`

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = await main(process.argv.slice(2), { out: process.stdout, err: process.stderr })
