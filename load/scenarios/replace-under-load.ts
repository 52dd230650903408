import { join } from 'node:path'
import { measureCapacity } from '../capacity.ts'
import { formatNumber, formatSpread } from '../format.ts'
import type { ModelCopy } from '../models.ts'
import { makeCifarCnn } from '../network-models.ts'
import { failuresOf, formatRuns, medianOf, openLoopApart, WARM_UP_MS, warmUp } from '../open-loop-apart.ts'
import type { OpenLoopJob } from '../open-loop-process.ts'
import type { OpenLoopRun } from '../open-loop.ts'
import { makePhoto } from '../photo.ts'
import { replaceAgainAndAgain } from '../replace-version.ts'
import { fileForm } from '../requests.ts'
import type { LoadContext, Outcome, Scenario } from '../scenario.ts'
import { withServer, type RunningServer } from '../server-process.ts'
import { tensorport } from '../tensorport.ts'

const BUSY = 0.7
const EVERY_MS = { full: 5000, quick: 500 }
const DURATION_MS = { full: 15_000, quick: 1500 }
const MAX_TIMES = 1.5

/** A model that is trained again and again: what its clients notice of new versions. */
export const replaceUnderLoad: Scenario = {
  name: 'replace-under-load',
  summary: `JPEGs to the CNN of image-cifar by the clock, at ${BUSY * 100} % of what the server can do: with a new version every ${EVERY_MS.full / 1000} s, and without.`,
  async run (context) {
    const model = await makeCifarCnn(context.scratch)
    const options = tensorport(model.modelsDirectory, join(context.scratch, 'tensorport.log'), { MODELS_POLL_MS: '200' })
    return await withServer(options, async server => await measure(context, model, server))
  }
}

async function measure (context: LoadContext, model: ModelCopy, server: RunningServer): Promise<Outcome> {
  const request = fileForm('/predict/image?model=cifar', await makePhoto())
  const capacity = await measureCapacity(context, server, request)
  const durationMs = context.isQuick ? DURATION_MS.quick : DURATION_MS.full
  const job: OpenLoopJob = { url: server.url, request, expected: capacity.expected, except: ['version'], options: { perSecond: BUSY * capacity.perSecond.median, durationMs, warmUpMs: WARM_UP_MS } }
  const still: OpenLoopRun[] = []
  const replaced: OpenLoopRun[] = []
  const replace = replaceAgainAndAgain(context, server, model, 'cifar', context.isQuick ? EVERY_MS.quick : EVERY_MS.full)
  for (let repeat = 0; repeat < context.repeats; repeat++) {
    context.log(`without and with new versions, ${repeat + 1} of ${context.repeats}`)
    still.push(await openLoopApart(job))
    const over = new AbortController()
    const replacements = replace.until(over.signal)
    replaced.push(await openLoopApart(job).finally(() => over.abort()))
    await replacements
  }
  const times = medianOf(replaced, run => run.good.p99Ms) / medianOf(still, run => run.good.p99Ms)
  const failures = failuresOf([...still, ...replaced])
  const rejected = [...still, ...replaced].reduce((sum, run) => sum + run.rejected.count, 0)
  return {
    tables: [{ columns: ['', 'requests/s', 'p50 ms', 'p99 ms', 'max ms', 'rejected'], rows: [row('without', still), row('with new versions', replaced)] }],
    checks: [
      { claim: `p99 is at most ${MAX_TIMES} × what it is without`, found: `${formatNumber(times)} ×`, isMet: times <= MAX_TIMES },
      { claim: 'no request fails', found: `failures: ${failures.found}; rejected: ${rejected}`, isMet: failures.count + rejected === 0 },
      { claim: 'versions were replaced meanwhile', found: String(replace.count()), isMet: replace.count() > 0 }
    ],
    notes: [`${context.repeats} repeats of ${durationMs / 1000} s for each line, in turn, each after ${warmUp}. Capacity: ${formatSpread(capacity.perSecond)} requests a second.`]
  }
}

function row (name: string, runs: readonly OpenLoopRun[]): string[] {
  const spread = (figure: (run: OpenLoopRun) => number): string => formatRuns(runs, figure)
  return [name, spread(run => run.goodPerSecond), spread(run => run.good.p50Ms), spread(run => run.good.p99Ms), spread(run => run.good.maxMs), spread(run => run.rejected.measured)]
}
