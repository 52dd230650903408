import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { closedLoop, type ClosedLoopRun, type LoadRequest } from './closed-loop.ts'
import { formatMib, formatNumber, formatSpread } from './format.ts'
import type { ModelCopy } from './models.ts'
import { naiveServer } from './naive.ts'
import { readProcessMemory } from './process-memory.ts'
import { sameReply } from './same-reply.ts'
import type { LoadContext, Outcome } from './scenario.ts'
import { send } from './send.ts'
import { withServer, type RunningServer, type ServerOptions } from './server-process.ts'
import { spreadOf } from './statistics.ts'
import { tensorport } from './tensorport.ts'

/** What the machine could do at best, and how that came about. */
export interface Ceiling {
  /** Rows a second. */
  perSecond: number
  /** The table's rows for it: what, rows a second. */
  parts: { what: string, perSecond: string }[]
}

export interface Comparison {
  model: ModelCopy
  request: LoadRequest
  connections: number[]
  ceiling: Ceiling
}

interface Measured {
  connections: number
  runs: ClosedLoopRun[]
  peakBytes: number
}

const PAUSE_MS = 300

const COLUMNS = ['', 'connections', 'requests/s', 'of the limit', '× naive', 'p50 ms', 'p99 ms', 'peak MiB']

/** Puts the same closed-loop load on tensorport and on the naive server, and sets both beside what the machine could do at best. */
export async function compareServers (context: LoadContext, { model, request, connections, ceiling }: Comparison): Promise<Outcome> {
  const ours = await measure(context, 'tensorport', tensorport(model.modelsDirectory, join(context.scratch, 'tensorport.log')), request, connections)
  const naive = naiveServer(model, join(context.scratch, 'naive.log'))
  const theirs = 'options' in naive ? await measure(context, 'naive server', naive.options, request, connections) : undefined
  const rows = [
    ...ceiling.parts.map(({ what, perSecond }) => [what, '', perSecond, '', '', '', '', '']),
    ...ours.map((measured, index) => row('tensorport', measured, ceiling, theirs?.[index])),
    ...(theirs ?? []).map(measured => row('naive server', measured, ceiling, undefined))
  ]
  const notes = [`${context.repeats} repeats of ${context.durationMs / 1000} s for each line.`, ...'reason' in naive ? [`The naive server was left out: ${naive.reason}`] : []]
  return { tables: [{ columns: COLUMNS, rows }], checks: [], notes }
}

async function measure (context: LoadContext, name: string, options: ServerOptions, request: LoadRequest, connections: number[]): Promise<Measured[]> {
  return await withServer(options, async server => {
    const checked = { ...request, verify: sameReply(await firstReply(server, request)) }
    await closedLoop(server.url, checked, { connections: Math.min(...connections), durationMs: Math.min(context.durationMs, 1000) })
    const measured: Measured[] = []
    for (const count of connections) {
      context.log(`${name}, ${count} connections`)
      const runs = await repeat(context, server, checked, count)
      measured.push({ connections: count, runs, peakBytes: readProcessMemory(server.pid)?.peakBytes ?? Number.NaN })
    }
    return measured
  })
}

async function repeat ({ repeats, durationMs }: LoadContext, { url }: RunningServer, request: LoadRequest, connections: number): Promise<ClosedLoopRun[]> {
  const runs: ClosedLoopRun[] = []
  for (let index = 0; index < repeats; index++) {
    await drain(url, request)
    runs.push(await closedLoop(url, request, { connections, durationMs }))
  }
  return runs
}

/** Waits for what was under way when the run before ended: a server that does not see that its clients have gone still works on it. */
async function drain (url: string, request: LoadRequest): Promise<void> {
  await send(url, request, { timeoutMs: 60_000 })
  await sleep(PAUSE_MS)
}

/** Every later reply has to be the same. */
async function firstReply ({ url }: RunningServer, request: LoadRequest): Promise<string> {
  const { status, body } = await send(url, request)
  if (status !== 200) throw new Error(`Expected a prediction but the reply was ${status}: ${body}`)
  return body
}

function row (name: string, { connections, runs, peakBytes }: Measured, ceiling: Ceiling, naive: Measured | undefined): string[] {
  const perSecond = spreadOf(runs.map(run => run.perSecond))
  const times = naive === undefined ? '' : formatNumber(perSecond.median / spreadOf(naive.runs.map(run => run.perSecond)).median)
  return [name, String(connections), formatSpread(perSecond), formatNumber(perSecond.median / ceiling.perSecond), times,
    formatSpread(spreadOf(runs.map(run => run.p50Ms))), formatSpread(spreadOf(runs.map(run => run.p99Ms))), formatMib(peakBytes)]
}
