import { join } from 'node:path'
import { measureCapacity, type Capacity } from '../capacity.ts'
import { formatNumber, formatSpread } from '../format.ts'
import { makeCifarCnn } from '../network-models.ts'
import { failuresOf, formatRuns, medianOf, repeatOpenLoop, WARM_UP_MS, warmUp } from '../open-loop-apart.ts'
import type { OpenLoopRun } from '../open-loop.ts'
import { makePhoto } from '../photo.ts'
import { fileForm } from '../requests.ts'
import type { Check, LoadContext, Outcome, Scenario } from '../scenario.ts'
import { withServer, type RunningServer } from '../server-process.ts'
import { tensorport } from '../tensorport.ts'

const BUSY = 0.7
const TOO_MUCH = 1.5
const MAX_TAIL = 4
const MIN_GOODPUT = 0.9

/** Clients that do not wait for each other: what a server does below and above what it can. */
export const openLoop: Scenario = {
  name: 'open-loop',
  summary: `JPEGs of 640×427 to the CNN of image-cifar, sent by the clock whether or not earlier ones were answered: at ${BUSY * 100} % of what the server can do, and at ${TOO_MUCH * 100} %. Latencies count from when a request was due.`,
  async run (context) {
    const { modelsDirectory } = await makeCifarCnn(context.scratch)
    return await withServer(tensorport(modelsDirectory, join(context.scratch, 'tensorport.log')), async server => await measure(context, server))
  }
}

async function measure (context: LoadContext, server: RunningServer): Promise<Outcome> {
  const request = fileForm('/predict/image?model=cifar', await makePhoto())
  const capacity = await measureCapacity(context, server, request)
  const at = async (share: number): Promise<OpenLoopRun[]> => {
    context.log(`${share * 100} % of capacity`)
    const options = { perSecond: share * capacity.perSecond.median, durationMs: 2 * context.durationMs, warmUpMs: WARM_UP_MS }
    return await repeatOpenLoop(context, { url: server.url, request, expected: capacity.expected, options })
  }
  const busy = await at(BUSY)
  const tooMuch = await at(TOO_MUCH)
  return {
    tables: [{
      columns: ['', 'sent/s', 'good/s', 'p50 ms', 'p99 ms', 'rejected', 'their p99 ms', 'sent late, p99 ms'],
      rows: [row(`${BUSY * 100} %`, busy), row(`${TOO_MUCH * 100} %`, tooMuch)]
    }],
    checks: [...checkBusy(busy, capacity), ...checkTooMuch(tooMuch, capacity)],
    notes: [
      `Capacity: ${formatSpread(capacity.perSecond)} requests a second in a closed loop; alone, a request takes ${formatSpread(capacity.aloneP50Ms)} ms.`,
      `${context.repeats} repeats of ${2 * context.durationMs / 1000} s for each line, sent by a process of its own, each after ${warmUp}. *Sent late* is the sender's own delay, which the latencies include.`
    ]
  }
}

function checkBusy (runs: readonly OpenLoopRun[], { aloneP50Ms }: Capacity): Check[] {
  const times = medianOf(runs, run => run.good.p99Ms) / aloneP50Ms.median
  const failures = failuresOf(runs)
  const rejected = runs.reduce((sum, run) => sum + run.rejected.count, 0)
  return [
    { claim: `at ${BUSY * 100} %, p99 is at most ${MAX_TAIL} × the median of a request alone`, found: `${formatNumber(times)} ×`, isMet: times <= MAX_TAIL },
    { claim: `at ${BUSY * 100} %, every request gets its answer`, found: `failures: ${failures.found}; rejected: ${rejected}`, isMet: failures.count + rejected === 0 }
  ]
}

function checkTooMuch (runs: readonly OpenLoopRun[], { perSecond }: Capacity): Check[] {
  const goodput = medianOf(runs, run => run.goodPerSecond) / perSecond.median
  const failures = failuresOf(runs)
  const [rejectedMs, goodMs] = [medianOf(runs, run => run.rejected.p99Ms), medianOf(runs, run => run.good.p50Ms)]
  const silent = runs.reduce((sum, run) => sum + run.withoutRetryAfter, 0)
  return [
    { claim: `at ${TOO_MUCH * 100} %, at least ${MIN_GOODPUT} of capacity is answered well`, found: formatNumber(goodput), isMet: goodput >= MIN_GOODPUT },
    { claim: 'all else is rejected with 503 and Retry-After; nothing hangs', found: `failures: ${failures.found}; without Retry-After: ${silent}`, isMet: failures.count + silent === 0 },
    { claim: 'a rejection comes fast: its p99 is not above the median of a good reply', found: `${formatNumber(rejectedMs)} against ${formatNumber(goodMs)} ms`, isMet: !(rejectedMs > goodMs) }
  ]
}

function row (name: string, runs: readonly OpenLoopRun[]): string[] {
  const spread = (figure: (run: OpenLoopRun) => number): string => formatRuns(runs, figure)
  return [name, spread(run => run.duePerSecond), spread(run => run.goodPerSecond), spread(run => run.good.p50Ms), spread(run => run.good.p99Ms),
    spread(run => run.rejected.measured), spread(run => run.rejected.p99Ms), spread(run => run.sentLateP99Ms)]
}
