import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { rankRows } from '../../src/prediction/rank.ts'
import { loadLibrary, loadSavedModel, type LoadedSavedModel, type TensorValue } from '../../src/tensorflow/index.ts'
import { formatNumber } from '../format.ts'
import { copyModel, makeMlp, mlpRows, type ModelCopy } from '../models.ts'
import { makePhoto, makeTurnedPhoto } from '../photo.ts'
import { SHARED } from '../places.ts'
import { jsonRequest } from '../requests.ts'
import { TOLERANCE } from '../same-reply.ts'
import type { Check, Scenario } from '../scenario.ts'
import { send } from '../send.ts'
import { withServer } from '../server-process.ts'
import { tensorport } from '../tensorport.ts'

const PHOTOS = 5
const ROWS = 32
const ORIENTATIONS = [1, 2, 3, 4, 5, 6, 7, 8] as const
/** The copies of our photo are JPEGs of the best quality: their pixels differ by a step here and there. */
const TURNED_TOLERANCE = 0.02
/** Steps of 255. The copies in ../shared/images/exif have a number drawn on each and were compressed one by one: 3.9–4.6; one turned wrong is 30 off and more. */
const SHARED_TOLERANCE = 8

interface NamedFile { name: string, bytes: Uint8Array }
interface ImageReply { predicted_class: number, confidence: number, all_probabilities: number[], input: string }

/** What goes through HTTP is what the session itself gives. */
export const equality: Scenario = {
  name: 'equality',
  summary: 'Predictions over HTTP beside those of the same SavedModel in this process: pictures by the pixels that `?debug=input` shows, and rows of floats.',
  async run ({ scratch, log }) {
    const imagenet = await copyModel('imagenet', scratch)
    const mlp = await makeMlp(scratch)
    loadLibrary()
    const files = [...await photos(), ...await sharedImages('jpeg'), ...await sharedImages('png')]
    const exif = await sharedImages('exif')
    return await withServer(tensorport(imagenet.modelsDirectory, join(scratch, 'tensorport.log')), async ({ url }) => {
      log(`${files.length + exif.length} pictures`)
      const checks = [await checkImages(url, imagenet, [...files, ...exif]), await checkTensors(url, mlp), await checkTurned(url)]
      if (exif.length > 0) checks.push(await checkSharedTurned(url, exif))
      return { tables: [], checks, notes: exif.length > 0 ? [] : ['The turned copies in ../shared/images/exif were left out: they are not here.'] }
    })
  }
}

async function photos (): Promise<NamedFile[]> {
  return await Promise.all(Array.from({ length: PHOTOS }, async (_, index) => ({ name: `photo ${index + 1}`, bytes: await makePhoto(index + 1) })))
}

/** @returns none where the folder is missing */
async function sharedImages (folder: string): Promise<NamedFile[]> {
  const directory = join(SHARED, 'images', folder)
  const names = await readdir(directory).catch(() => [])
  return await Promise.all(names.sort().map(async name => ({ name, bytes: await readFile(join(directory, name)) })))
}

async function checkImages (url: string, { versionDirectory, manifest }: ModelCopy, files: NamedFile[]): Promise<Check> {
  const model = await loadSavedModel(versionDirectory)
  let worst = 0
  for (const file of files) {
    const reply = await predictImage(url, file)
    const expected = await probabilities(model, manifest, await pixelsOf(reply.input))
    worst = Math.max(worst, largestDifference(reply.all_probabilities, expected))
  }
  await model.dispose()
  return { claim: `${files.length} pictures give the session's own probabilities on the same pixels, to ${TOLERANCE}`, found: `largest difference ${worst.toExponential(1)}`, isMet: worst <= TOLERANCE }
}

async function predictImage (url: string, { name, bytes }: NamedFile): Promise<ImageReply> {
  const { status, body } = await send(url, { path: '/predict/image?model=imagenet&debug=input', headers: { 'content-type': 'image/jpeg' }, body: bytes })
  if (status !== 200) throw new Error(`Expected a prediction for ${name} but the reply was ${status}: ${body}`)
  return JSON.parse(body) as ImageReply
}

/** Out of a PNG's data URL: uint8 [1, height, width, channels]. */
async function pixelsOf (dataUrl: string): Promise<TensorValue> {
  const png = Buffer.from(dataUrl.slice(dataUrl.indexOf(',') + 1), 'base64')
  const { data, info: { width, height, channels } } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
  return { dtype: 'uint8', shape: [1, height, width, channels], data: Uint8Array.from(data) }
}

async function probabilities (model: LoadedSavedModel, { signature = '', input = '', output = '', activation }: ModelCopy['manifest'], pixels: TensorValue): Promise<readonly number[]> {
  const { [output]: scores } = await model.run(signature, { [input]: pixels })
  return rankRows(scores!, 1, { model: 'imagenet', activation, labels: undefined, topK: 1 })[0]!.all_probabilities
}

async function checkTensors (url: string, { versionDirectory }: ModelCopy): Promise<Check> {
  const rows = mlpRows(ROWS)
  const model = await loadSavedModel(versionDirectory)
  const { scores } = await model.run('serving_default', { pixels: rows })
  await model.dispose()
  const [count, length] = rows.shape as [number, number]
  const instances = Array.from({ length: count }, (_, row) => Array.from((rows.data as Float32Array).subarray(row * length, (row + 1) * length)))
  const { status, body } = await send(url, jsonRequest('/v1/models/mlp:predict', { instances }))
  if (status !== 200) throw new Error(`Expected predictions but the reply was ${status}: ${body}`)
  const { predictions } = JSON.parse(body) as { predictions: number[][] }
  const worst = largestDifference(predictions.flat(), Array.from(scores!.data as Float32Array))
  return { claim: `${ROWS} rows of floats give the session's own scores, to ${TOLERANCE}`, found: `largest difference ${worst.toExponential(1)}`, isMet: worst <= TOLERANCE }
}

async function checkTurned (url: string): Promise<Check> {
  const replies: ImageReply[] = []
  for (const orientation of ORIENTATIONS) replies.push(await predictImage(url, { name: `photo turned ${orientation}`, bytes: await makeTurnedPhoto(orientation) }))
  const [upright] = replies as [ImageReply]
  const worst = Math.max(...replies.map(reply => largestDifference(reply.all_probabilities, upright.all_probabilities)))
  const agree = replies.filter(({ predicted_class: found }) => found === upright.predicted_class).length
  return {
    claim: `a photo stored in all ${replies.length} ways that EXIF knows gets the class of the upright one, and its probabilities to ${TURNED_TOLERANCE}`,
    found: `${agree} agree, largest difference ${formatNumber(worst)}`,
    isMet: agree === replies.length && worst <= TURNED_TOLERANCE
  }
}

/** The first file is upright. */
async function checkSharedTurned (url: string, files: NamedFile[]): Promise<Check> {
  const seen: Uint8Array[] = []
  for (const file of files) seen.push((await pixelsOf((await predictImage(url, file)).input)).data as Uint8Array)
  const worst = Math.max(...seen.map(pixels => meanDifference(pixels, seen[0]!)))
  return {
    claim: `the ${files.length} turned copies in ../shared/images/exif give the pixels of the upright one, to ${SHARED_TOLERANCE} of 255 steps on average`,
    found: `at most ${formatNumber(worst)}`,
    isMet: worst <= SHARED_TOLERANCE
  }
}

function meanDifference (left: Uint8Array, right: Uint8Array): number {
  return left.reduce((sum, value, index) => sum + Math.abs(value - right[index]!), 0) / left.length
}

/** Infinity where there are not as many of one as of the other. */
function largestDifference (left: readonly number[], right: readonly number[]): number {
  if (left.length !== right.length) return Number.POSITIVE_INFINITY
  return left.reduce((worst, value, index) => Math.max(worst, Math.abs(value - right[index]!)), 0)
}
