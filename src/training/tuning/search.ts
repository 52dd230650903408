import { derivedSeed, seededRandom } from '../random.ts'
import { parzenSuggestion } from './parzen.ts'
import { grid, sample, type Hyperparameters, type SearchSpace } from './search-space.ts'
import { ranked, type Objective, type TrialResult } from './trial.ts'

/** `halving` is `random` with trials given up early. @see keepsOn */
export const SEARCHES = ['random', 'grid', 'halving', 'bayesian'] as const

export type SearchName = typeof SEARCHES[number]

export interface SearchOptions {
  readonly search: SearchName
  readonly space: SearchSpace
  readonly objective: Objective
  readonly seed: number
}

/** Values that a grid takes of a range without steps. */
const GRID_POINTS = 3

/** Trials that the Bayesian search tries at random before it has an opinion. */
const RANDOM_FIRST = 8

/** How many different random suggestions are looked at before one that was tried already is taken. */
const ATTEMPTS = 32

/**
 * What the next trial is to try. The same for the same options, number and results, so that a search goes on where it was stopped. Pure.
 *
 * @param number of the trial, from 0
 * @param results of trials that have ended, in any order
 * @param taken what every trial so far was given, whether it has ended or not
 * @returns undefined once nothing new is left to try
 */
export function suggest ({ search, space, objective, seed }: SearchOptions, number: number, results: readonly TrialResult[], taken: readonly Hyperparameters[]): Hyperparameters | undefined {
  if (search === 'grid') return grid(space, GRID_POINTS)[number]
  const known = new Set(taken.map(keyOf))
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = search === 'bayesian' && results.length >= RANDOM_FIRST
      ? parzenSuggestion(space, ranked(objective, results).map(({ hyperparameters }) => hyperparameters), seededRandom(derivedSeed(seed, number * ATTEMPTS + attempt)))
      : sample(space, seed, number * ATTEMPTS + attempt)
    if (!known.has(keyOf(found))) return found
  }
  return undefined
}

function keyOf (hyperparameters: Hyperparameters): string {
  return JSON.stringify(Object.entries(hyperparameters))
}
