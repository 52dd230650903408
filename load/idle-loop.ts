// A process that does nothing beside a server under load: how late its event loop is, is the machine's doing. Answers each message with its delays so far.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { TICK_MS, type LoopLag } from './server-metrics.ts'

const delays = monitorEventLoopDelay({ resolution: TICK_MS })
delays.enable()
process.on('message', () => {
  const toMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - TICK_MS)
  const lag: LoopLag = { p99Ms: toMs(delays.percentile(99)), maxMs: toMs(delays.max) }
  process.send!(lag)
})
process.once('disconnect', () => process.exit(0))
