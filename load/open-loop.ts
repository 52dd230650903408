import { setTimeout as sleep } from 'node:timers/promises'
import type { LoadRequest } from './closed-loop.ts'
import { NoReplyError, PreparedRequests } from './prepared-requests.ts'
import { percentile } from './statistics.ts'

export interface OpenLoopOptions {
  /** Requests a second, evenly spaced. */
  perSecond: number
  durationMs: number
  /** Before that, sent alike: latencies and rates leave these requests out, while the driver's own code warms up and its connections are opened. What goes wrong with them counts. */
  warmUpMs?: number
  /** Requests that may be under way at once; what falls due above it is not sent and counts as left out. */
  maxOutstanding?: number
  /** A request without its whole reply after this long counts as hung. */
  timeoutMs?: number
}

/** Replies of one kind. Latencies count from when a request was due, not from when it could be sent; NaN where there are none. */
export interface Replies {
  /** Those of the warm-up too. */
  count: number
  /** Those that latencies and rates are of. */
  measured: number
  p50Ms: number
  p99Ms: number
  maxMs: number
}

export interface OpenLoopRun {
  /** Requests that fell due, those of the warm-up too. */
  due: number
  duePerSecond: number
  /** 2xx and right. */
  good: Replies
  /** 503. */
  rejected: Replies
  /** Those of the 503 that did not say when to try again. */
  withoutRetryAfter: number
  /** 2xx that are not what `verify` wants. */
  wrong: number
  /** Any other status, or what broke the connection → how many. */
  others: Record<string, number>
  hung: number
  leftOut: number
  /** Good replies a second, from the first request that fell due after the warm-up until the last one was over: what was still queued at the end is no gain. */
  goodPerSecond: number
  /** How late the driver itself sent a request, at p99: what is under a tick of its timer says nothing of the server. */
  sentLateP99Ms: number
}

type Ending =
  | { kind: 'replied', status: number, isRight: boolean, saysWhen: boolean, ms: number, isWarmUp: boolean }
  | { kind: 'failed', what: string }
  | { kind: 'hung' }

const MAX_OUTSTANDING = 4096
const TIMEOUT_MS = 10_000
const TICK_MS = 1
/** What a server that is full answers. */
const REJECTED = 503

/**
 * An open loop: requests go out by the clock, whether or not earlier ones were answered, as from people who do not know of each other. A server
 * that stalls makes every request that was due meanwhile late, and the latencies show it. Ends when the last one is answered or given up.
 *
 * @param url of the server, without a path
 */
export async function openLoop (url: string, request: LoadRequest, options: OpenLoopOptions): Promise<OpenLoopRun> {
  const { perSecond, durationMs, warmUpMs = 0, maxOutstanding = MAX_OUTSTANDING, timeoutMs = TIMEOUT_MS } = options
  const startedAt = performance.now()
  const warmAt = startedAt + warmUpMs
  const requests = new PreparedRequests(url, request)
  const endings: Promise<Ending>[] = []
  const sentLateMs: number[] = []
  let outstanding = 0
  let leftOut = 0
  const sendOne = (dueAt: number): void => {
    if (outstanding >= maxOutstanding) {
      leftOut++
      return
    }
    outstanding++
    const isWarmUp = dueAt < warmAt
    if (!isWarmUp) sentLateMs.push(performance.now() - dueAt)
    endings.push(sendDue(requests, request, { dueAt, isWarmUp, timeoutMs }).finally(() => { outstanding-- }))
  }
  const due = Math.max(1, Math.floor((warmUpMs + durationMs) / 1000 * perSecond))
  await atEachDue(startedAt, due, 1000 / perSecond, sendOne)
  const counts = count(await Promise.all(endings))
  requests.close()
  const seconds = Math.max(durationMs, performance.now() - warmAt) / 1000
  return { ...counts, due, duePerSecond: perSecond, leftOut, goodPerSecond: counts.good.measured / seconds, sentLateP99Ms: percentile(sentLateMs, 0.99) }
}

/** Calls `action` when each is due by the clock: a late tick catches up, the schedule never moves. */
async function atEachDue (startedAt: number, count: number, everyMs: number, action: (dueAt: number) => void): Promise<void> {
  for (let index = 0; index < count;) {
    const dueAt = startedAt + index * everyMs
    if (performance.now() < dueAt) await sleep(TICK_MS)
    else {
      action(dueAt)
      index++
    }
  }
}

async function sendDue (requests: PreparedRequests, { verify }: LoadRequest, { dueAt, isWarmUp, timeoutMs }: { dueAt: number, isWarmUp: boolean, timeoutMs: number }): Promise<Ending> {
  try {
    const { status, saysWhen, body } = await requests.send(timeoutMs)
    return { kind: 'replied', status, isRight: verify?.(body) ?? true, saysWhen, ms: performance.now() - dueAt, isWarmUp }
  } catch (error) {
    return error instanceof NoReplyError ? { kind: 'hung' } : { kind: 'failed', what: (error as NodeJS.ErrnoException).code ?? (error as Error).message }
  }
}

type Counts = Pick<OpenLoopRun, 'good' | 'rejected' | 'withoutRetryAfter' | 'wrong' | 'others' | 'hung'>
type Replied = Extract<Ending, { kind: 'replied' }>

function count (endings: readonly Ending[]): Counts {
  const replied = endings.filter(ending => ending.kind === 'replied')
  const ok = replied.filter(({ status }) => isOk(status))
  const good = ok.filter(({ isRight }) => isRight)
  const rejected = replied.filter(({ status }) => status === REJECTED)
  return {
    good: summary(good),
    rejected: summary(rejected),
    withoutRetryAfter: rejected.filter(({ saysWhen }) => !saysWhen).length,
    wrong: ok.length - good.length,
    others: countOthers(endings),
    hung: endings.filter(({ kind }) => kind === 'hung').length
  }
}

function countOthers (endings: readonly Ending[]): Record<string, number> {
  const others: Record<string, number> = {}
  for (const ending of endings) {
    const what = otherOf(ending)
    if (what !== undefined) others[what] = (others[what] ?? 0) + 1
  }
  return others
}

function otherOf (ending: Ending): string | undefined {
  switch (ending.kind) {
    case 'replied': return isOk(ending.status) || ending.status === REJECTED ? undefined : String(ending.status)
    case 'failed': return ending.what
    case 'hung': return undefined
  }
}

function isOk (status: number): boolean {
  return status >= 200 && status <= 299
}

function summary (replies: readonly Replied[]): Replies {
  const latencies = replies.filter(({ isWarmUp }) => !isWarmUp).map(({ ms }) => ms)
  const share = (part: number): number => latencies.length === 0 ? Number.NaN : percentile(latencies, part)
  return { count: replies.length, measured: latencies.length, p50Ms: share(0.5), p99Ms: share(0.99), maxMs: share(1) }
}
