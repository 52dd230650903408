import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { closedLoop, type ClosedLoopRun, type LoadRequest } from '../closed-loop.ts'
import { formatMib, formatNumber, formatSpread } from '../format.ts'
import { copyModel, makeMlp, mlpRows, type ModelCopy } from '../models.ts'
import { makePhoto } from '../photo.ts'
import { processTree, readProcessMemory } from '../process-memory.ts'
import { fileForm, jsonRequest } from '../requests.ts'
import { sameReply } from '../same-reply.ts'
import { type LoadContext, type Outcome, type Scenario } from '../scenario.ts'
import { send } from '../send.ts'
import { withServer, type RunningServer } from '../server-process.ts'
import { spreadOf } from '../statistics.ts'
import { tensorport } from '../tensorport.ts'

const WORKERS = [1, 2]
const CONNECTIONS = 64
const READY_TIMEOUT_MS = 120_000

interface Case {
  what: string
  model: ModelCopy
  request: LoadRequest
}

interface Measured {
  workers: number
  server: RunningServer
  runs: ClosedLoopRun[]
}

/** One event loop or two: where the loop is the limit, and where the model is. */
export const workers: Scenario = {
  name: 'workers',
  summary: `One server process and two (\`WORKERS=2\`) under the same load, measured in turn, ${CONNECTIONS} connections: JSON tensors to a small model, photos to a larger one.`,
  async run (context) {
    const cases = [await tensors(join(context.scratch, 'tensors')), await photos(join(context.scratch, 'photos'))]
    const rows: string[][] = []
    for (const load of cases) rows.push(...await compare(context, load))
    return outcome(context, rows)
  }
}

async function tensors (scratch: string): Promise<Case> {
  const row = mlpRows(1)
  return { what: 'tensor-json', model: await makeMlp(scratch), request: jsonRequest('/v1/models/mlp:predict', { instances: [Array.from(row.data as Float32Array)] }) }
}

async function photos (scratch: string): Promise<Case> {
  return { what: 'image-imagenet', model: await copyModel('imagenet', scratch), request: fileForm('/predict/image?model=imagenet', await makePhoto()) }
}

/** Both servers are there all the time, and loaded one after the other, so that what else happens on the machine meets both. */
async function compare (context: LoadContext, load: Case): Promise<string[][]> {
  const [one, two] = WORKERS.map(workers => tensorport(load.model.modelsDirectory, join(context.scratch, `tensorport-${workers}.log`), { WORKERS: String(workers) }))
  return await withServer(one!, async first => await withServer(two!, async second => {
    const measured = [first, second].map((server, index): Measured => ({ workers: WORKERS[index]!, server, runs: [] }))
    for (const { server, workers } of measured) await untilAllServe(server, workers)
    const { body } = await send(first.url, load.request)
    const request = { ...load.request, verify: sameReply(body) }
    for (const { server } of measured) await closedLoop(server.url, request, { connections: CONNECTIONS, durationMs: Math.min(context.durationMs, 2000) })
    for (let repeat = 0; repeat < context.repeats; repeat++) {
      context.log(`${load.what}, repeat ${repeat + 1} of ${context.repeats}`)
      for (const { server, runs } of measured) runs.push(await closedLoop(server.url, request, { connections: CONNECTIONS, durationMs: context.durationMs }))
    }
    return measured.map(({ workers, server, runs }) => row(load.what, workers, runs, residentOf(server.pid)))
  }))
}

/** `/health/ready` speaks for one worker, `/metrics` for all. */
async function untilAllServe ({ url }: RunningServer, workers: number): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS
  while (performance.now() < deadline) {
    const { body } = await send(url, { path: '/metrics', method: 'GET' })
    if (new RegExp(`^tensorport_versions\\{[^}]*state="available"\\} ${workers}$`, 'm').test(body)) return
    await sleep(50)
  }
  throw new Error(`Not all of ${workers} workers serve after ${READY_TIMEOUT_MS} ms`)
}

/** Of a process and its workers. @returns NaN where there is no /proc */
function residentOf (pid: number): number {
  return processTree(pid).reduce((bytes, pid) => bytes + (readProcessMemory(pid)?.residentBytes ?? Number.NaN), 0)
}

function row (what: string, workers: number, runs: readonly ClosedLoopRun[], bytes: number): string[] {
  return [what, String(workers), formatSpread(spreadOf(runs.map(run => run.perSecond))), formatSpread(spreadOf(runs.map(run => run.p50Ms))), formatSpread(spreadOf(runs.map(run => run.p99Ms))), formatMib(bytes)]
}

function outcome ({ repeats, durationMs }: LoadContext, rows: string[][]): Outcome {
  return {
    tables: [{ columns: ['', 'workers', 'requests/s', 'p50 ms', 'p99 ms', 'resident MiB'], rows }],
    checks: [],
    notes: [`${repeats} repeats of ${formatNumber(durationMs / 1000)} s for each line. What sends the load takes its share of the cores too: on a machine of few cores it hides what a second process could do.`]
  }
}
