import { join } from 'node:path'
import { measureCapacity } from '../capacity.ts'
import { formatNumber, formatSpread } from '../format.ts'
import { makeCifarCnn } from '../network-models.ts'
import { failuresOf, formatRuns, medianOf, openLoopApart, WARM_UP_MS, warmUp } from '../open-loop-apart.ts'
import type { OpenLoopJob } from '../open-loop-process.ts'
import type { OpenLoopRun } from '../open-loop.ts'
import { makePhoto } from '../photo.ts'
import { fileForm } from '../requests.ts'
import type { LoadContext, Outcome, Scenario } from '../scenario.ts'
import { send } from '../send.ts'
import { withServer, type RunningServer } from '../server-process.ts'
import { tensorport } from '../tensorport.ts'

const QUIET = 0.1
const FLOOD = 1.5
const MAX_TIMES = 2

/** A model whose clients ask for more than the machine can do, beside one whose clients ask for little. */
export const twoModels: Scenario = {
  name: 'two-models',
  summary: `JPEGs to two CNNs like that of image-cifar, by the clock: to one at ${QUIET * 100} % of what the server can do; then the other is flooded with ${FLOOD * 100} % beside it.`,
  async run (context) {
    const { modelsDirectory } = await makeCifarCnn(context.scratch, 'quiet')
    await makeCifarCnn(context.scratch, 'flooded')
    return await withServer(tensorport(modelsDirectory, join(context.scratch, 'tensorport.log')), async server => await measure(context, server))
  }
}

async function measure (context: LoadContext, server: RunningServer): Promise<Outcome> {
  const photo = await makePhoto()
  const request = fileForm('/predict/image?model=quiet', photo)
  const { perSecond, expected } = await measureCapacity(context, server, request)
  const durationMs = 2 * context.durationMs
  const quiet: OpenLoopJob = { url: server.url, request, expected, options: { perSecond: QUIET * perSecond.median, durationMs, warmUpMs: WARM_UP_MS } }
  const flood: OpenLoopJob = { ...quiet, except: ['model'], request: fileForm('/predict/image?model=flooded', photo), options: { perSecond: FLOOD * perSecond.median, durationMs, warmUpMs: WARM_UP_MS } }
  const alone: OpenLoopRun[] = []
  const beside: OpenLoopRun[] = []
  const flooded: OpenLoopRun[] = []
  for (let repeat = 0; repeat < context.repeats; repeat++) {
    context.log(`without and with the flood, ${repeat + 1} of ${context.repeats}`)
    alone.push(await openLoopApart(quiet))
    const [run, other] = await Promise.all([openLoopApart(quiet), openLoopApart(flood)])
    beside.push(run)
    flooded.push(other)
    await send(server.url, request, { timeoutMs: 60_000 }) // what was under way is over
  }
  const times = medianOf(beside, run => run.good.p99Ms) / medianOf(alone, run => run.good.p99Ms)
  const failures = failuresOf([...alone, ...beside])
  const rejected = [...alone, ...beside].reduce((sum, run) => sum + run.rejected.count, 0)
  return {
    tables: [{
      columns: ['', 'sent/s', 'good/s', 'p50 ms', 'p99 ms', 'rejected'],
      rows: [row('the quiet model alone', alone), row('beside the flood', beside), row('the flooded model', flooded)]
    }],
    checks: [
      { claim: `the quiet model's p99 is at most ${MAX_TIMES} × its own without the flood`, found: `${formatNumber(times)} ×`, isMet: times <= MAX_TIMES },
      { claim: 'every request to the quiet model gets its answer', found: `failures: ${failures.found}; rejected: ${rejected}`, isMet: failures.count + rejected === 0 }
    ],
    notes: [`${context.repeats} repeats of ${durationMs / 1000} s for each line, in turn, each after ${warmUp}. Capacity: ${formatSpread(perSecond)} requests a second.`]
  }
}

function row (name: string, runs: readonly OpenLoopRun[]): string[] {
  const spread = (figure: (run: OpenLoopRun) => number): string => formatRuns(runs, figure)
  return [name, spread(run => run.duePerSecond), spread(run => run.goodPerSecond), spread(run => run.good.p50Ms), spread(run => run.good.p99Ms), spread(run => run.rejected.measured)]
}
