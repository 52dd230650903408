import { derivedSeed } from '../random.ts'
import { isRung, keepsOn, valuesAt } from './halving.ts'
import { suggest } from './search.ts'
import type { Hyperparameters } from './search-space.ts'
import type { Study, StudyPlan } from './study.ts'
import type { StartTrial } from './trial-child.ts'
import { bestOf, type Trial, type TrialResult } from './trial.ts'

/** A trial under way, as a table shows it. */
export interface LiveTrial extends Trial {
  /** The objective after each epoch so far. */
  readonly values: readonly number[]
}

export interface TunerOptions {
  readonly plan: StudyPlan
  readonly study: Study
  readonly modelsDir: string
  /** In all, those of earlier runs counted. */
  readonly trials: number
  /** At once. */
  readonly parallel: number
  readonly start: StartTrial
  /** After each change. */
  readonly onChange: (running: readonly LiveTrial[]) => void
  /** No new trials, and those under way are given up unfinished: a later run does them again. */
  readonly signal: AbortSignal
}

/**
 * Runs trials until there are as many as asked for or nothing new is left to try. Trials that ended in an earlier run of the study are not
 * done again; one that crashes is kept as failed.
 */
export async function tune (options: TunerOptions): Promise<void> {
  const { study, trials, parallel, signal } = options
  const running = new Map<number, Running>()
  const tried = new Map<number, Hyperparameters>(study.results.map(({ number, hyperparameters }) => [number, hyperparameters]))
  const work = async (): Promise<void> => {
    while (!signal.aborted) {
      const trial = nextTrial(options, tried)
      if (trial === undefined || tried.size >= trials) return
      tried.set(trial.number, trial.hyperparameters)
      await runTrial(trial, options, running)
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
}

interface Running extends LiveTrial {
  readonly values: number[]
}

/** The lowest number that has not been taken: a trial that was broken off comes again first. */
function nextTrial ({ plan, study }: TunerOptions, tried: ReadonlyMap<number, Hyperparameters>): Trial | undefined {
  let number = 0
  while (tried.has(number)) number += 1
  const hyperparameters = suggest(plan, number, study.results, [...tried.values()])
  return hyperparameters === undefined ? undefined : { number, hyperparameters }
}

async function runTrial (trial: Trial, { plan, study, modelsDir, start, onChange, signal }: TunerOptions, running: Map<number, Running>): Promise<void> {
  const live: Running = { ...trial, values: [] }
  const changed = (): void => { onChange([...running.values()].sort((a, b) => a.number - b.number)) }
  running.set(trial.number, live)
  changed()
  const startedAt = performance.now()
  let isGivenUp = false
  const child = start(orderOf(trial, plan, modelsDir), value => {
    live.values.push(value)
    const others = [...study.results, ...running.values()].filter(({ number }) => number !== trial.number).map(({ values }) => values)
    if (fallsBehind(plan, live.values, others)) {
      isGivenUp = true
      child.giveUp()
    }
    changed()
  })
  const giveUp = (): void => { child.giveUp() }
  signal.addEventListener('abort', giveUp, { once: true })
  const ended = await child.ended
  signal.removeEventListener('abort', giveUp)
  running.delete(trial.number)
  if (!signal.aborted) await study.add(resultOf(live, plan, ended, isGivenUp, (performance.now() - startedAt) / 1000))
  changed()
}

function orderOf ({ number, hyperparameters }: Trial, { recipe, data, epochs, executions, seed, objective }: StudyPlan, modelsDir: string): Parameters<StartTrial>[0] {
  // The same seeds for every trial, so that luck with the first weights does not decide; others for each execution.
  const seeds = Array.from({ length: executions }, (_, execution) => execution === 0 ? seed : derivedSeed(seed, execution))
  return { recipe, data, modelsDir, hyperparameters, epochs, seeds, objective }
}

function fallsBehind ({ search, objective, epochs }: StudyPlan, values: readonly number[], others: readonly (readonly number[])[]): boolean {
  if (search !== 'halving' || values.length >= epochs || !isRung(values.length)) return false
  return !keepsOn(objective, values.at(-1)!, valuesAt(values.length, others))
}

function resultOf ({ number, hyperparameters, values }: Running, { objective }: StudyPlan, ended: Awaited<ReturnType<StartTrial>['ended']>, isGivenUp: boolean, seconds: number): TrialResult {
  const best = bestOf(objective, values)
  const common = { number, hyperparameters, values: [...values], seconds: Math.round(seconds * 10) / 10, ...(best !== undefined && { bestEpoch: best.index + 1 }) }
  if (ended.kind === 'failed') return { ...common, state: 'failed', reason: ended.reason }
  const { bestOfExecutions } = ended
  return {
    ...common,
    state: isGivenUp ? 'stopped' : 'done',
    ...(bestOfExecutions.length > 0 && { value: bestOfExecutions.reduce((sum, value) => sum + value, 0) / bestOfExecutions.length })
  }
}
