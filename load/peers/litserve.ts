import { closedLoop, type LoadRequest } from '../closed-loop.ts'
import { withServer, type ServerOptions } from '../server-process.ts'
import { pythonServer, type Peer, type PeerTask } from './peer.ts'

interface Batching {
  workers: number
  maxBatchSize: number
  timeoutMs: number
}

/** Tried in turn; what is best depends on the model, the machine and what a request costs besides. */
const BATCHINGS: readonly Batching[] = [
  { workers: 1, maxBatchSize: 16, timeoutMs: 5 },
  { workers: 1, maxBatchSize: 32, timeoutMs: 10 },
  { workers: 2, maxBatchSize: 4, timeoutMs: 2 },
  { workers: 2, maxBatchSize: 16, timeoutMs: 5 }
]
const CONNECTIONS = 32
const WARM_UP_MS = 1000
const SWEEP_MS = 2000

/** LitServe with its dynamic batching, tuned. */
export const litServe: Peer = {
  name: 'LitServe',
  async prepare (task) {
    const { best, options, tried } = await tune(task)
    return { options, note: `LitServe: ${describe(best)}, the best of ${tried} tried at ${CONNECTIONS} connections.` }
  }
}

interface Tuned {
  best: Batching
  options: ServerOptions
  tried: number
}

async function tune (task: PeerTask): Promise<Tuned> {
  const candidates = task.context.isQuick ? BATCHINGS.slice(0, 1) : BATCHINGS
  let found: Tuned & { perSecond: number } | undefined
  for (const best of candidates) {
    task.context.log(`LitServe, ${describe(best)}`)
    const options = await optionsOf(task, best)
    const perSecond = candidates.length === 1 ? 0 : await rate(options, task.request)
    if (found === undefined || perSecond > found.perSecond) found = { best, options, perSecond, tried: candidates.length }
  }
  return found!
}

async function optionsOf (task: PeerTask, { workers, maxBatchSize, timeoutMs }: Batching): Promise<ServerOptions> {
  return await pythonServer(task, 'litserve_server.py', 'litserve', {
    WORKERS: String(workers), MAX_BATCH_SIZE: String(maxBatchSize), BATCH_TIMEOUT_S: String(timeoutMs / 1000), API_PATH: pathOf(task.request)
  })
}

async function rate (options: ServerOptions, request: LoadRequest): Promise<number> {
  return await withServer(options, async ({ url }) => {
    await closedLoop(url, request, { connections: CONNECTIONS, durationMs: WARM_UP_MS })
    const { perSecond } = await closedLoop(url, request, { connections: CONNECTIONS, durationMs: SWEEP_MS })
    return perSecond
  })
}

function pathOf ({ path }: LoadRequest): string {
  return new URL(path, 'http://127.0.0.1').pathname
}

function describe ({ workers, maxBatchSize, timeoutMs }: Batching): string {
  return `${workers} worker${workers === 1 ? '' : 's'}, batches of up to ${maxBatchSize}, waiting ${timeoutMs} ms`
}
