import { closedLoop, type LoadRequest } from './closed-loop.ts'
import type { LoadContext } from './scenario.ts'
import { send } from './send.ts'
import type { RunningServer } from './server-process.ts'
import { sameReply } from './same-reply.ts'
import { spreadOf, type Spread } from './statistics.ts'

export interface Capacity {
  /** Requests a second with always enough of them waiting. */
  perSecond: Spread
  /** Of a request that is alone. */
  aloneP50Ms: Spread
  /** The reply that every other one has to be the same as. */
  expected: string
}

const CONNECTIONS = 64

/** What a server can do at most, and how fast it is when nothing else is asked of it. @throws Error if a reply is not 2xx, or another than that of the request alone */
export async function measureCapacity ({ repeats, durationMs, log }: LoadContext, { url }: RunningServer, request: LoadRequest): Promise<Capacity> {
  log('capacity')
  const { status, body: expected } = await send(url, request)
  if (status !== 200) throw new Error(`Expected a prediction but the reply was ${status}: ${expected}`)
  const checked = { ...request, verify: sameReply(expected) }
  await closedLoop(url, checked, { connections: CONNECTIONS, durationMs: Math.min(durationMs, 1000) })
  const perSecond: number[] = []
  const aloneP50Ms: number[] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    perSecond.push((await closedLoop(url, checked, { connections: CONNECTIONS, durationMs })).perSecond)
    await send(url, request, { timeoutMs: 60_000 }) // what was under way is over
    aloneP50Ms.push((await closedLoop(url, checked, { connections: 1, durationMs })).p50Ms)
  }
  return { perSecond: spreadOf(perSecond), aloneP50Ms: spreadOf(aloneP50Ms), expected }
}
