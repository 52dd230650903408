import { join } from 'node:path'
import { besideIdleLoop } from '../beside.ts'
import { closedLoop } from '../closed-loop.ts'
import { formatNumber } from '../format.ts'
import { copyModel, type ModelCopy } from '../models.ts'
import { makePhoto } from '../photo.ts'
import { replaceAgainAndAgain } from '../replace-version.ts'
import { fileForm } from '../requests.ts'
import type { LoadContext, Outcome, Scenario } from '../scenario.ts'
import { readLoopLag, type LoopLag } from '../server-metrics.ts'
import { withServer, type RunningServer } from '../server-process.ts'
import { tensorport } from '../tensorport.ts'

const CONNECTIONS = 64
const MAX_P99_MS = 20
const DURATION_MS = { full: 20_000, quick: 4000 }

/** Inference, decoding and loading all leave the event loop alone. */
export const eventLoop: Scenario = {
  name: 'event-loop',
  summary: `${CONNECTIONS} clients send photos to the imagenet model without a pause, while new versions of it are loaded one after another.`,
  async run (context) {
    const model = await copyModel('imagenet', context.scratch)
    const options = tensorport(model.modelsDirectory, join(context.scratch, 'tensorport.log'), { MODELS_POLL_MS: '200' })
    return await withServer(options, async server => await measure(context, model, server))
  }
}

async function measure (context: LoadContext, model: ModelCopy, server: RunningServer): Promise<Outcome> {
  const request = { ...fileForm('/predict/image?model=imagenet', await makePhoto()), verify: (body: string) => body.startsWith('{"predicted_class":') }
  await closedLoop(server.url, request, { connections: CONNECTIONS, durationMs: 1000 })
  await readLoopLag(server.url)
  context.log(`${CONNECTIONS} connections while versions are replaced`)
  const durationMs = context.isQuick ? DURATION_MS.quick : DURATION_MS.full
  const { result: { run, versions, lag }, idleLag } = await besideIdleLoop(async () => {
    const over = new AbortController()
    const replacements = replaceAgainAndAgain(context, server, model, 'imagenet', 0)
    const loads = replacements.until(over.signal)
    const run = await closedLoop(server.url, request, { connections: CONNECTIONS, durationMs, until: loads }).finally(() => over.abort())
    const lag = await readLoopLag(server.url)
    await loads
    return { run, versions: replacements.count(), lag }
  })
  const row = (what: string, { p99Ms, maxMs }: LoopLag): string[] => [what, formatNumber(p99Ms), formatNumber(maxMs)]
  return {
    tables: [{ columns: ['event loop\'s delay', 'p99 ms', 'max ms'], rows: [row('tensorport', lag), row('a process beside it that does nothing', idleLag)] }],
    checks: [
      { claim: `the event loop's delay is at most ${MAX_P99_MS} ms at p99`, found: `${formatNumber(lag.p99Ms)} ms`, isMet: lag.p99Ms <= MAX_P99_MS },
      { claim: 'at least one version was loaded meanwhile', found: String(versions), isMet: versions > 0 }
    ],
    notes: [`${run.replies} replies in ${durationMs / 1000} s, ${formatNumber(run.perSecond)} a second, p99 ${formatNumber(run.p99Ms)} ms.`]
  }
}
