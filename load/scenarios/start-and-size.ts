import { join } from 'node:path'
import { closedLoop, type LoadRequest } from '../closed-loop.ts'
import { formatMib, formatSpread } from '../format.ts'
import { makeCifarCnn } from '../network-models.ts'
import { naive } from '../peers/naive.ts'
import type { Peer, PeerTask } from '../peers/peer.ts'
import { fastApi } from '../peers/python.ts'
import { makePhoto } from '../photo.ts'
import { fileForm } from '../requests.ts'
import { SkipError, type Check, type LoadContext, type Scenario } from '../scenario.ts'
import { send } from '../send.ts'
import { withServer, type ServerOptions } from '../server-process.ts'
import { median, spreadOf } from '../statistics.ts'
import { tensorport } from '../tensorport.ts'

const MAX_START_MS = 2000
const CONNECTIONS = 64

interface Start {
  /** From the start of the process to the first answer. */
  answeredMs: number
  peakBytes: number
}

/** How soon a new replica helps, and what it needs. */
export const startAndSize: Scenario = {
  name: 'start-and-size',
  summary: `The server of image-cifar is started, asked for a prediction as soon as it is ready, and put under the load of ${CONNECTIONS} connections; again and again.`,
  async run (context) {
    const model = await makeCifarCnn(context.scratch)
    const request = fileForm('/predict/image?model=cifar', await makePhoto())
    const ours = await starts(context, 'tensorport', tensorport(model.modelsDirectory, join(context.scratch, 'tensorport.log')), request)
    const { found, notes } = await peerStarts({ context, model, request }, [naive, fastApi])
    return {
      tables: [{ columns: ['', 'first answer, ms after the start', 'peak MiB'], rows: [row('tensorport', ours), ...[...found].map(([name, theirs]) => row(name, theirs))] }],
      checks: [checkStart(ours), ...checkSize(ours, found.get(naive.name))],
      notes: [`${context.repeats} starts for each line.`, ...notes]
    }
  }
}

async function peerStarts (task: PeerTask, peers: readonly Peer[]): Promise<{ found: Map<string, Start[]>, notes: string[] }> {
  const found = new Map<string, Start[]>()
  const notes: string[] = []
  for (const peer of peers) {
    try {
      const { options, request = task.request } = await peer.prepare(task)
      found.set(peer.name, await starts(task.context, peer.name, options, request))
    } catch (error) {
      if (!(error instanceof SkipError)) throw error
      notes.push(`${peer.name} was left out: ${error.message}`)
    }
  }
  return { found, notes }
}

async function starts ({ log, repeats, durationMs }: LoadContext, name: string, options: ServerOptions, request: LoadRequest): Promise<Start[]> {
  const found: Start[] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    log(`${name}, start ${repeat + 1} of ${repeats}`)
    found.push(await withServer(options, async ({ url, startMs, peakBytes }) => {
      const { status, body, ms } = await send(url, request)
      if (status !== 200) throw new Error(`Expected a prediction but the reply was ${status}: ${body}`)
      await closedLoop(url, request, { connections: CONNECTIONS, durationMs: durationMs / 2 })
      return { answeredMs: startMs + ms, peakBytes: peakBytes() }
    }))
  }
  return found
}

function checkStart (ours: readonly Start[]): Check {
  const spread = spreadOf(ours.map(({ answeredMs }) => answeredMs))
  return { claim: `the first answer comes at most ${MAX_START_MS} ms after the start`, found: `${formatSpread(spread)} ms`, isMet: spread.median <= MAX_START_MS }
}

function checkSize (ours: readonly Start[], theirs: readonly Start[] | undefined): Check[] {
  if (theirs === undefined) return []
  const [own, other] = [peak(ours), peak(theirs)]
  return [{ claim: 'peak memory is not above the naive server\'s', found: `${formatMib(own)} against ${formatMib(other)} MiB`, isMet: !(own > other) }]
}

function peak (starts: readonly Start[]): number {
  return median(starts.map(({ peakBytes }) => peakBytes))
}

function row (name: string, starts: readonly Start[]): string[] {
  return [name, formatSpread(spreadOf(starts.map(({ answeredMs }) => answeredMs))), formatMib(peak(starts))]
}
