import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { serverEnvironment } from '../scripts/start/server-process.mjs'
import type { BareLoopJob, BareLoopResult, DecodeJob, RunJob } from './bare-loop.ts'
import { programPath } from './places.ts'
import type { LoadContext } from './scenario.ts'
import { spreadOf, type Spread } from './statistics.ts'

export interface Limit {
  batchSize: number
  inFlight: number
  rowsPerSecond: Spread
}

/** Decodes under way for each core: as many as let several go in one run. */
const MANY = 8

/** How fast a bare loop in a process of its own does the job, at its best batch size and number of calls under way. */
export async function measureLimit (job: RunJob | DecodeJob, { repeats, durationMs, isQuick }: LoadContext): Promise<Limit> {
  const cores = availableParallelism()
  const { rowsPerSecond, ...best } = isQuick
    ? await runBareLoop({ job: job.kind === 'run' ? { ...job, batchSizes: job.batchSizes.slice(0, 2) } : job, inFlight: [cores], repeats, durationMs, sweepMs: 200 })
    : await runBareLoop({ job, inFlight: [...new Set([1, cores, 2 * cores, ...job.kind === 'decode' ? [MANY * cores] : []])], repeats, durationMs, sweepMs: 1000 })
  return { ...best, rowsPerSecond: spreadOf(rowsPerSecond) }
}

/**
 * Rows a second of two stages that share the same cores, each keeping all of them busy when alone: the times for a row add up.
 */
export function combinedPerSecond (stages: readonly number[]): number {
  return 1 / stages.reduce((seconds, perSecond) => seconds + 1 / perSecond, 0)
}

async function runBareLoop (job: BareLoopJob): Promise<BareLoopResult> {
  const child = fork(programPath('bare-loop'), { serialization: 'advanced', execArgv: [], env: serverEnvironment(process.env) })
  return await new Promise((resolve, reject) => {
    child.once('message', message => resolve(message as BareLoopResult))
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`The bare loop ended (${code ?? signal}) without an answer`)))
    child.send(job)
  })
}
