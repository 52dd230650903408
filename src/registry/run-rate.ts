import { availableParallelism } from 'node:os'
import type { Session } from '../tensorflow/index.ts'

/**
 * Numbers of runs in flight that are worth trying: one more than are calculated keeps a GPU fed; on a CPU there is no use for more than cores where each run
 * keeps several busy. Runs of one thread each are one more than cores, as images that are decoded are: while one run's rows are answered and the next ones are sent for, its core would
 * have nothing to do. It brings a tenth beside decoding and HTTP (MobileNetV2, a BiLSTM), which a bare loop does not show.
 *
 * @param threads of one run
 */
export function inFlightCandidates (session: Pick<Session, 'devices'> | undefined, threads: number, cores = availableParallelism()): number[] {
  const hasGpu = session?.devices().some(({ type }) => type === 'GPU') === true
  if (hasGpu) return [2, 3, 4]
  if (threads === 1) return [cores + 1]
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
