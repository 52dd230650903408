/** How late the server's event loop was, in milliseconds, since the last time anyone asked. */
export interface LoopLag {
  p99Ms: number
  maxMs: number
}

/** prom-client reads Node's histogram of the time between two ticks of this timer; what is over it is the delay. @see perf_hooks.monitorEventLoopDelay */
export const TICK_MS = 10

/** Reads the delays from /metrics, which starts them anew: the first call opens the time that the second one tells of. */
export async function readLoopLag (url: string): Promise<LoopLag> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return { p99Ms: delayMs(text, 'nodejs_eventloop_lag_p99_seconds'), maxMs: delayMs(text, 'nodejs_eventloop_lag_max_seconds') }
}

/** @throws Error if there is no such metric */
function delayMs (text: string, name: string): number {
  return Math.max(0, metricValue(text, name) * 1000 - TICK_MS)
}

/** The value of a metric without labels in Prometheus' text format. @throws Error if there is no such metric */
export function metricValue (text: string, name: string): number {
  const [, value] = new RegExp(`^${name} (\\S+)$`, 'm').exec(text) ?? []
  if (value === undefined) throw new Error(`Expected the metric ${name} but /metrics has not got it`)
  return Number(value)
}
