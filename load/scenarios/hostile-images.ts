import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatMib, formatNumber } from '../format.ts'
import { copyModel } from '../models.ts'
import { makePhoto } from '../photo.ts'
import { SHARED } from '../places.ts'
import { readProcessMemory } from '../process-memory.ts'
import { fileForm } from '../requests.ts'
import { SkipError, type LoadContext, type Outcome, type Scenario } from '../scenario.ts'
import { send, type Reply } from '../send.ts'
import { withServer, type RunningServer } from '../server-process.ts'
import { tensorport } from '../tensorport.ts'

const FOLDERS = ['corrupt', 'bomb']
const MAX_MS = 2000
const MIB = 1024 * 1024
/** A picture of the most pixels allowed, decoded in full, for each of two cores. */
const MAX_GROWTH_BYTES = 400 * MIB
/** Every file this often at once. */
const AT_ONCE = 3

interface NamedFile { name: string, bytes: Uint8Array }
interface Answer extends Reply { name: string }

/** Broken pictures and pictures that claim to be huge. */
export const hostileImages: Scenario = {
  name: 'hostile-images',
  summary: 'Broken pictures and decompression bombs (../shared/images/corrupt and bomb), one by one and all at once.',
  async run (context) {
    const files = (await Promise.all(FOLDERS.map(readFolder))).flat()
    const { modelsDirectory } = await copyModel('imagenet', context.scratch)
    return await withServer(tensorport(modelsDirectory, join(context.scratch, 'tensorport.log')), async server => await measure(context, server, files))
  }
}

async function readFolder (folder: string): Promise<NamedFile[]> {
  const directory = join(SHARED, 'images', folder)
  const names = await readdir(directory).catch(() => { throw new SkipError(`../shared/images/${folder} is not here`) })
  return await Promise.all(names.sort().map(async name => ({ name: `${folder}/${name}`, bytes: await readFile(join(directory, name)) })))
}

async function measure ({ log }: LoadContext, server: RunningServer, files: NamedFile[]): Promise<Outcome> {
  const photo = await makePhoto()
  await Promise.all(Array.from({ length: 8 }, async () => await sendImage(server, { name: 'photo', bytes: photo })))
  const before = readProcessMemory(server.pid)
  log(`${files.length} pictures one by one`)
  const alone: Answer[] = []
  for (const file of files) alone.push(await sendImage(server, file))
  log(`${files.length * AT_ONCE} pictures at once`)
  const together = await Promise.all(Array.from({ length: AT_ONCE }, () => files).flat().map(async file => await sendImage(server, file)))
  const after = readProcessMemory(server.pid)
  const { status } = await sendImage(server, { name: 'photo', bytes: photo })
  const answers = [...alone, ...together]
  const wrong = answers.filter(({ status }) => status >= 500 || status < 200)
  const slowest = answers.reduce((slowest, answer) => answer.ms > slowest.ms ? answer : slowest)
  const growth = (after?.peakBytes ?? Number.NaN) - (before?.residentBytes ?? Number.NaN)
  return {
    tables: [{ columns: ['picture', 'status', 'ms alone'], rows: alone.map(({ name, status, ms }) => [name, String(status), formatNumber(ms)]) }],
    checks: [
      { claim: 'every picture is answered with 2xx or 4xx', found: wrong.length === 0 ? 'all are' : wrong.map(({ name, status, body }) => `${name} → ${status} ${body}`).join('; '), isMet: wrong.length === 0 },
      { claim: `every answer comes within ${MAX_MS} ms`, found: `the slowest (${slowest.name}) took ${formatNumber(slowest.ms)} ms`, isMet: slowest.ms <= MAX_MS },
      { claim: `resident memory grows by at most ${formatMib(MAX_GROWTH_BYTES)} MiB at its peak`, found: `${formatMib(growth)} MiB`, isMet: !(growth > MAX_GROWTH_BYTES) },
      { claim: 'a good picture is answered afterwards', found: String(status), isMet: status === 200 }
    ],
    notes: []
  }
}

async function sendImage ({ url }: RunningServer, { name, bytes }: NamedFile): Promise<Answer> {
  return { name, ...await send(url, fileForm('/predict/image?model=imagenet', bytes)) }
}
