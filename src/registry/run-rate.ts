import { availableParallelism } from 'node:os'
import { placesFor } from '../batching/places.ts'
import type { Session } from '../tensorflow/index.ts'

/** Milliseconds from which on a run is a long one. */
const LONG_RUN_MS = 8

/**
 * Numbers of runs in flight that are worth trying: one more than are calculated keeps a GPU fed; on a CPU there is no use for more than cores. Runs of one
 * thread each need as many as there are cores to keep them busy, and long ones one more, as images that are decoded do: it brings a tenth beside decoding and HTTP
 * (MobileNetV2; a bare loop does not show it). Short ones would only take turns: the median falls, the slowest hundredth of requests takes as long as before.
 *
 * @param threads of one run
 * @param runMs milliseconds of one run
 */
export function inFlightCandidates (session: Pick<Session, 'devices'> | undefined, { threads, runMs }: { threads: number, runMs: number }, cores = availableParallelism()): number[] {
  const hasGpu = session?.devices().some(({ type }) => type === 'GPU') === true
  if (hasGpu) return [2, 3, 4]
  if (threads === 1) return [runMs < LONG_RUN_MS ? cores : placesFor(cores)]
  return [...new Set([1, 2, Math.min(4, cores)])].filter(runs => runs <= cores)
}

/** Runs a second with so many always in flight, over at least `ms` milliseconds and one run each. */
export async function runsPerSecond (run: () => Promise<unknown>, inFlight: number, ms: number): Promise<number> {
  const startedAt = performance.now()
  let runs = 0
  const loop = async (): Promise<void> => {
    do {
      await run()
      runs++
    } while (performance.now() - startedAt < ms)
  }
  await Promise.all(Array.from({ length: inFlight }, loop))
  return runs / (performance.now() - startedAt) * 1000
}
