import autocannon, { type Result } from 'autocannon'
import { percentile } from './statistics.ts'

export interface LoadRequest {
  path: string
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: Uint8Array | string
  /** Whether a reply's body is the right one; any that is not fails the run. */
  verify?: (body: string) => boolean
}

export interface ClosedLoopOptions {
  connections: number
  durationMs: number
  /** Ends the run before `durationMs` when it settles. */
  until?: Promise<unknown>
}

export interface ClosedLoopRun {
  replies: number
  perSecond: number
  p50Ms: number
  p99Ms: number
  maxMs: number
}

/** Milliseconds between two looks at whether the time is up. */
const SAMPLE_MS = 50
const REPLY_TIMEOUT_SECONDS = 30

/**
 * A closed loop: each connection sends its next request when its last one is answered. Goes on past `durationMs` until there are as many
 * replies as connections; ends at the first failure.
 *
 * @param url of the server, without a path
 * @throws Error if any reply is not 2xx, is not what `verify` wants, or never came
 */
export async function closedLoop (url: string, request: LoadRequest, { connections, durationMs, until }: ClosedLoopOptions): Promise<ClosedLoopRun> {
  const run = autocannon({
    url: url + request.path,
    method: request.method ?? (request.body === undefined ? 'GET' : 'POST'),
    headers: request.headers ?? {},
    ...request.body === undefined ? {} : { body: Buffer.from(request.body) },
    ...request.verify === undefined ? {} : { verifyBody: request.verify },
    connections,
    duration: durationMs / 1000 + REPLY_TIMEOUT_SECONDS,
    sampleInt: SAMPLE_MS,
    timeout: REPLY_TIMEOUT_SECONDS
  })
  const latencies: number[] = []
  const errors: Error[] = []
  const stop = (): void => run.stop()
  run.on('response', (_client, status, _bytes, milliseconds) => {
    latencies.push(milliseconds)
    if (status < 200 || status > 299) stop()
  })
  run.on('reqError', error => {
    errors.push(error)
    stop()
  })
  until?.then(stop, stop)
  const startedAt = performance.now()
  const watch = setInterval(() => { if (performance.now() - startedAt >= durationMs && latencies.length >= connections) stop() }, SAMPLE_MS)
  const result = await run
  clearInterval(watch)
  refuseFailures(result, connections, errors[0])
  return {
    replies: latencies.length,
    perSecond: latencies.length / result.duration,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    maxMs: percentile(latencies, 1)
  }
}

/** autocannon reconnects without a word where a server closes a connection: requests that were sent, never answered and are not under way at the end show it. */
function refuseFailures (result: Result, connections: number, firstError: Error | undefined): void {
  const { errors, mismatches, non2xx, statusCodeStats, requests } = result
  const lost = requests.sent - requests.total - errors - connections
  const statuses = Object.entries(statusCodeStats).map(([status, { count }]) => `${count} × ${status}`).join(', ')
  const found = `${requests.sent} requests: ${statuses || 'no reply'}`
  if (non2xx > 0) throw new Error(`Expected only 2xx replies but ${non2xx} were not. ${found}`)
  if (errors > 0) throw new Error(`Expected a reply to every request but ${errors} had none (${firstError?.message ?? 'unknown'}). ${found}`)
  if (lost > 0) throw new Error(`Expected a reply to every request but the server closed ${lost} connections before. ${found}`)
  if (mismatches > 0) throw new Error(`Expected the right reply to every request but ${mismatches} were others. ${found}`)
  if (requests.total === 0) throw new Error(`Expected replies but there was none. ${found}`)
}
