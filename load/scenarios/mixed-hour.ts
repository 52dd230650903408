import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../src/training/random.ts'
import { BAD_REQUESTS } from '../bad-requests.ts'
import type { LoadRequest } from '../closed-loop.ts'
import { formatMib, formatNumber } from '../format.ts'
import { copyModel, makeMlp, mlpRows, type ModelCopy } from '../models.ts'
import { makeBilstm, makeCifarCnn, TEXT_LENGTH } from '../network-models.ts'
import { failuresOf, openLoopApart } from '../open-loop-apart.ts'
import type { OpenLoopRun } from '../open-loop.ts'
import { makePhoto } from '../photo.ts'
import { readProcessMemory } from '../process-memory.ts'
import { replaceAgainAndAgain } from '../replace-version.ts'
import { fileForm, jsonRequest } from '../requests.ts'
import type { LoadContext, Outcome, Scenario } from '../scenario.ts'
import { send } from '../send.ts'
import { sendRaw } from '../send-raw.ts'
import { withServer, type RunningServer } from '../server-process.ts'
import { median } from '../statistics.ts'
import { tensorport } from '../tensorport.ts'
import { makeText } from '../words.ts'

const MAX_GROWN = 0.05
/** A "minute" of a quick run is a second. */
const MINUTE_MS = { full: 60_000, quick: 1000 }
const MINUTES = { full: 61, quick: 4 }
const ROWS_SHOWN = 10
const SAMPLE_MS = { full: 1000, quick: 100 }
/** Of each kind, a second. */
const RATES = { imagenet: 4, cifar: 40, bilstm: 40, mlp: 100, bad: 10, goneClients: 5 }
const GONE_AFTER_MS = 5

/** What a server that is never restarted comes to hold. Runs by name only. */
export const mixedHour: Scenario = {
  name: 'mixed-hour',
  summary: 'An hour of photos to two models, texts, rows of floats, wrong requests and clients that hang up, while one of the models is replaced every minute.',
  async run (context) {
    const { modelsDirectory } = await copyModel('imagenet', context.scratch)
    const mlp = await makeMlp(context.scratch)
    await makeCifarCnn(context.scratch)
    await makeBilstm(context.scratch)
    const options = tensorport(modelsDirectory, join(context.scratch, 'tensorport.log'), { MODELS_POLL_MS: '500', LOG_LEVEL: 'warn' })
    return await withServer(options, async server => await measure(context, server, mlp))
  }
}

async function measure (context: LoadContext, server: RunningServer, mlp: ModelCopy): Promise<Outcome> {
  const size = context.isQuick ? 'quick' : 'full'
  const [minuteMs, minutes] = [MINUTE_MS[size], MINUTES[size]]
  const durationMs = minutes * minuteMs
  const over = AbortSignal.timeout(durationMs)
  const photo = await makePhoto()
  const requests: Record<'imagenet' | 'cifar' | 'bilstm' | 'mlp', LoadRequest> = {
    imagenet: fileForm('/predict/image?model=imagenet', photo),
    cifar: fileForm('/predict/image?model=cifar', photo),
    bilstm: jsonRequest('/predict/text?model=bilstm', { text: makeText(TEXT_LENGTH) }),
    mlp: jsonRequest('/v1/models/mlp:predict', { instances: [Array.from(mlpRows(1).data as Float32Array)] })
  }
  const good = Object.entries(requests).map(async ([name, request]) => await sendByTheClock(server, request, RATES[name as keyof typeof requests], durationMs))
  const bad = sendBad(server, over)
  const gone = hangUp(server, requests.cifar, over)
  const replacements = replaceAgainAndAgain(context, server, mlp, 'mlp', minuteMs)
  const replaced = replacements.until(over)
  const levels = await watchMemory(context, server, minuteMs, minutes)
  const runs = await Promise.all(good)
  const [badAnswers, goneClients] = await Promise.all([bad, gone, replaced])
  const versions = replacements.count()
  const failures = failuresOf(runs)
  const rejected = runs.reduce((sum, run) => sum + run.rejected.count, 0)
  const [first, last] = [levels[1]!, levels.at(-1)!]
  const every = Math.max(1, Math.round((minutes - 1) / ROWS_SHOWN))
  const shown = levels.flatMap((level, minute) => minute === 1 || (minute > 1 && minute % every === 0) || minute === minutes - 1 ? [[String(minute), formatMib(level)]] : [])
  return {
    tables: [
      { columns: ['minutes', 'resident MiB'], rows: shown },
      { columns: ['', 'requests', 'p50 ms', 'p99 ms', 'max ms'], rows: Object.keys(requests).map((name, index) => row(name, runs[index]!)) }
    ],
    checks: [
      { claim: `resident memory after ${minutes - 1} minutes is at most ${MAX_GROWN * 100} % above what it was after one`, found: `${formatMib(first)} → ${formatMib(last)} MiB`, isMet: !(last > first * (1 + MAX_GROWN)) },
      { claim: 'every good request gets its answer', found: `failures: ${failures.found}; rejected: ${rejected}`, isMet: failures.count + rejected === 0 },
      { claim: `each of ${badAnswers.length} bad requests is refused with a 4xx`, found: `${badAnswers.filter(status => status < 400 || status > 499).length} are not`, isMet: badAnswers.every(status => status >= 400 && status <= 499) },
      { claim: 'versions were replaced meanwhile', found: String(versions), isMet: versions > 0 }
    ],
    notes: [`Memory is the median of a minute's samples, garbage and all. ${goneClients} clients hung up ${GONE_AFTER_MS} ms after they had sent a photo.`]
  }
}

function row (name: string, { good }: OpenLoopRun): string[] {
  return [name, String(good.count), formatNumber(good.p50Ms), formatNumber(good.p99Ms), formatNumber(good.maxMs)]
}

async function sendByTheClock ({ url }: RunningServer, request: LoadRequest, perSecond: number, durationMs: number): Promise<OpenLoopRun> {
  const { body: expected } = await send(url, request)
  return await openLoopApart({ url, request, expected, except: ['version', 'model_version'], options: { perSecond, durationMs } })
}

/** @returns the statuses; 0 where there was no reply */
async function sendBad ({ url }: RunningServer, over: AbortSignal): Promise<number[]> {
  const random = seededRandom(1)
  const kinds = Object.values(BAD_REQUESTS)
  const statuses: number[] = []
  while (!over.aborted) {
    const request = kinds[statuses.length % kinds.length]!(random)
    statuses.push(await ('raw' in request ? sendRaw(url, request.raw) : send(url, request).then(({ status }) => status)).catch(() => 0))
    await sleep(1000 / RATES.bad)
  }
  return statuses
}

/** @returns how many */
async function hangUp ({ url }: RunningServer, request: LoadRequest, over: AbortSignal): Promise<number> {
  let clients = 0
  while (!over.aborted) {
    clients++
    await send(url, request, { signal: AbortSignal.timeout(GONE_AFTER_MS) }).catch(() => {}) // that is what it is for
    await sleep(1000 / RATES.goneClients)
  }
  return clients
}

/** @returns resident bytes in each minute, the first one's first; NaN where there is no /proc */
async function watchMemory ({ log, isQuick }: LoadContext, { pid }: RunningServer, minuteMs: number, minutes: number): Promise<number[]> {
  const levels: number[] = []
  const startedAt = performance.now()
  for (let minute = 0; minute < minutes; minute++) {
    const samples: number[] = []
    while (performance.now() < startedAt + (minute + 1) * minuteMs) {
      samples.push(readProcessMemory(pid)?.residentBytes ?? Number.NaN)
      await sleep(isQuick ? SAMPLE_MS.quick : SAMPLE_MS.full)
    }
    levels.push(median(samples))
    log(`minute ${minute}: ${formatMib(levels[minute]!)} MiB`)
  }
  return levels
}
