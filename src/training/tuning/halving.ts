import { ranked, type Objective, type TrialResult } from './trial.ts'

/** A trial goes on past a rung where it is among the best 1 ÷ η of those that came this far. */
const ETA = 3

/** Trials are compared first after one epoch, then after η times as many, and so on. */
export function isRung (epochs: number): boolean {
  for (let rung = 1; rung <= epochs; rung *= ETA) if (rung === epochs) return true
  return false
}

/**
 * Asynchronous successive halving: whether a trial that has come to a rung goes on. The first to come always do, so that nobody waits. Pure.
 *
 * @param value the objective there
 * @param others what other trials had at this rung
 * @see Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020 (its stopping form)
 */
export function keepsOn (objective: Objective, value: number, others: readonly number[]): boolean {
  const better = others.filter(other => objective.direction === 'max' ? other > value : other < value).length
  return better < Math.max(1, Math.ceil((others.length + 1) / ETA))
}

/** What others had after so many epochs. Pure. */
export function valuesAt (epochs: number, histories: readonly (readonly number[])[]): number[] {
  return histories.flatMap(values => values.length >= epochs ? [values[epochs - 1]!] : [])
}

/** Of trials that went all the way, or else of all. Pure. */
export function winner (objective: Objective, results: readonly TrialResult[]): (TrialResult & { value: number }) | undefined {
  return ranked(objective, results.filter(({ state }) => state === 'done'))[0] ?? ranked(objective, results)[0]
}
