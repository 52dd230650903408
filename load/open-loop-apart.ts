import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatSpread } from './format.ts'
import type { OpenLoopJob } from './open-loop-process.ts'
import type { OpenLoopRun } from './open-loop.ts'
import { programPath } from './places.ts'
import type { LoadContext } from './scenario.ts'
import { median, spreadOf } from './statistics.ts'

const PAUSE_MS = 500
/** Of a run whose latencies are to be compared: a process that has just been started compiles its JavaScript while it sends, on cores that the server shares. */
export const WARM_UP_MS = 1000
/** For a table's note. */
export const warmUp = `a warm-up of ${WARM_UP_MS / 1000} s that is not measured`

/** As `openLoop`, in a process of its own: several can go on at once, and what this process does meanwhile delays none of them. */
export async function openLoopApart (job: OpenLoopJob): Promise<OpenLoopRun> {
  const child = fork(programPath('open-loop-process'), { serialization: 'advanced', execArgv: [] })
  return await new Promise((resolve, reject) => {
    child.once('message', message => resolve(message as OpenLoopRun))
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`The open loop ended (${code ?? signal}) without an answer`)))
    child.send(job)
  })
}

/** As often as the context says, one after another, each after a pause. */
export async function repeatOpenLoop ({ repeats }: Pick<LoadContext, 'repeats'>, job: OpenLoopJob): Promise<OpenLoopRun[]> {
  const runs: OpenLoopRun[] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    await sleep(PAUSE_MS)
    runs.push(await openLoopApart(job))
  }
  return runs
}

/** How many requests of all runs did not get their answer, and what they got instead; 503s are left to who expects some. */
export function failuresOf (runs: readonly OpenLoopRun[]): { count: number, found: string } {
  const kinds = runs.flatMap(({ wrong, hung, leftOut, others }): [string, number][] => [['wrong', wrong], ['hung', hung], ['not sent', leftOut], ...Object.entries(others)])
  const totals = new Map<string, number>()
  for (const [kind, count] of kinds) totals.set(kind, (totals.get(kind) ?? 0) + count)
  const failed = [...totals].filter(([, count]) => count > 0)
  return { count: failed.reduce((sum, [, count]) => sum + count, 0), found: failed.map(([kind, count]) => `${count} × ${kind}`).join(', ') || 'none' }
}

/** Of the runs that have the figure. @returns NaN if none has */
export function medianOf (runs: readonly OpenLoopRun[], figure: (run: OpenLoopRun) => number): number {
  const found = measured(runs, figure)
  return found.length === 0 ? Number.NaN : median(found)
}

/** As `medianOf`, with the extremes, for a table. */
export function formatRuns (runs: readonly OpenLoopRun[], figure: (run: OpenLoopRun) => number): string {
  const found = measured(runs, figure)
  return found.length === 0 ? '–' : formatSpread(spreadOf(found))
}

function measured (runs: readonly OpenLoopRun[], figure: (run: OpenLoopRun) => number): number[] {
  return runs.map(figure).filter(Number.isFinite)
}
