import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { closedLoop, type ClosedLoopRun, type LoadRequest } from './closed-loop.ts'
import { formatMib, formatNumber, formatSpread } from './format.ts'
import { checkGoals, type Figures, type Goals } from './goals.ts'
import type { ModelCopy } from './models.ts'
import type { Peer, PeerTask } from './peers/peer.ts'
import { sameReply } from './same-reply.ts'
import { SkipError, type LoadContext, type Outcome } from './scenario.ts'
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
  peers: readonly Peer[]
  goals: Goals
}

interface Measured {
  connections: number
  runs: ClosedLoopRun[]
  peakBytes: number
}

const PAUSE_MS = 300

const COLUMNS = ['', 'connections', 'requests/s', 'of the limit', 'tensorport is', 'ms above the limit', 'p50 ms', 'p99 ms', 'peak MiB']

/** Puts the same closed-loop load on tensorport and on its peers, one after another, and sets all beside what the machine could do at best. */
export async function compareServers (context: LoadContext, { model, request, connections, ceiling, peers, goals }: Comparison): Promise<Outcome> {
  const ours = await measure(context, 'tensorport', tensorport(model.modelsDirectory, join(context.scratch, 'tensorport.log')), request, connections)
  const { found, notes } = await measurePeers({ context, model, request }, peers, connections)
  const rows = [
    ...ceiling.parts.map(({ what, perSecond }) => [what, '', perSecond, '', '', '', '', '', '']),
    ...ours.map(measured => row('tensorport', measured, ceiling)),
    ...[...found].flatMap(([name, theirs]) => theirs.map((measured, index) => row(name, measured, ceiling, ours[index])))
  ]
  const checks = checkGoals(goals, { ours: ours.map(figuresOf), peers: new Map([...found].map(([name, theirs]) => [name, theirs.map(figuresOf)])), limit: ceiling.perSecond })
  return { tables: [{ columns: COLUMNS, rows }], checks, notes: [`${context.repeats} repeats of ${context.durationMs / 1000} s for each line. *ms above the limit*: what a request costs more than a row does at the limit, all cores together.`, ...notes] }
}

async function measurePeers (task: PeerTask, peers: readonly Peer[], connections: number[]): Promise<{ found: Map<string, Measured[]>, notes: string[] }> {
  const found = new Map<string, Measured[]>()
  const notes: string[] = []
  for (const peer of peers) {
    try {
      const { options, request = task.request, note } = await peer.prepare(task)
      found.set(peer.name, await measure(task.context, peer.name, options, request, connections))
      if (note !== undefined) notes.push(note)
    } catch (error) {
      if (!(error instanceof SkipError)) throw error
      notes.push(`${peer.name} was left out: ${error.message}`)
    }
  }
  return { found, notes }
}

async function measure (context: LoadContext, name: string, options: ServerOptions, request: LoadRequest, connections: number[]): Promise<Measured[]> {
  return await withServer(options, async server => {
    const checked = { ...request, verify: sameReply(await firstReply(server, request)) }
    await closedLoop(server.url, checked, { connections: Math.min(...connections), durationMs: Math.min(context.durationMs, 1000) })
    const measured: Measured[] = []
    for (const count of connections) {
      context.log(`${name}, ${count} connections`)
      const runs = await repeat(context, server, checked, count)
      measured.push({ connections: count, runs, peakBytes: server.peakBytes() })
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

/** Every later reply has to be the same, up to the last bits. */
async function firstReply ({ url }: RunningServer, request: LoadRequest): Promise<string> {
  const { status, body } = await send(url, request)
  if (status !== 200) throw new Error(`Expected a prediction but the reply was ${status}: ${body}`)
  return body
}

function figuresOf ({ connections, runs, peakBytes }: Measured): Figures {
  const median = (figure: (run: ClosedLoopRun) => number): number => spreadOf(runs.map(figure)).median
  return { connections, perSecond: median(run => run.perSecond), p50Ms: median(run => run.p50Ms), p99Ms: median(run => run.p99Ms), peakBytes }
}

/** @param ours at as many connections, for a peer's row */
function row (name: string, measured: Measured, ceiling: Ceiling, ours?: Measured): string[] {
  const { connections, runs, peakBytes } = measured
  const perSecond = spreadOf(runs.map(run => run.perSecond))
  const times = ours === undefined ? '' : `${formatNumber(figuresOf(ours).perSecond / perSecond.median)} ×`
  return [name, String(connections), formatSpread(perSecond), formatNumber(perSecond.median / ceiling.perSecond), times, formatNumber(1000 / perSecond.median - 1000 / ceiling.perSecond),
    formatSpread(spreadOf(runs.map(run => run.p50Ms))), formatSpread(spreadOf(runs.map(run => run.p99Ms))), formatMib(peakBytes)]
}
