import t from 'tap'
import { isRung, keepsOn, valuesAt, winner } from '../../../src/training/tuning/halving.ts'
import { suggest, type SearchName } from '../../../src/training/tuning/search.ts'
import { choice, float, integer, type Hyperparameters } from '../../../src/training/tuning/search-space.ts'
import type { TrialResult } from '../../../src/training/tuning/trial.ts'

const MAX = { figure: 'val_acc', direction: 'max' } as const

/** Best 0 at x = 0.3, y = 5, kind b. */
const SPACE = { x: float(0, 1), y: integer(0, 10), kind: choice(['a', 'b']) }

function score ({ x, y, kind }: Hyperparameters): number {
  return -((Number(x) - 0.3) ** 2) - ((Number(y) - 5) / 10) ** 2 - (kind === 'b' ? 0 : 0.2)
}

function run (search: SearchName, trials: number, seed: number): TrialResult[] {
  const results: TrialResult[] = []
  for (let number = 0; number < trials; number++) {
    const hyperparameters = suggest({ search, space: SPACE, objective: MAX, seed }, number, results, results.map(result => result.hyperparameters))
    if (hyperparameters === undefined) break
    const value = score(hyperparameters)
    results.push({ number, hyperparameters, state: 'done', value, values: [value], seconds: 1 })
  }
  return results
}

const best = (results: readonly TrialResult[]): number => Math.max(...results.map(({ value }) => value!))

t.test('nothing is tried twice, and a search ends where nothing new is left', async t => {
  const space = { kind: choice(['a', 'b', 'c']) }
  const taken: Hyperparameters[] = []
  for (let number = 0; number < 3; number++) taken.push(suggest({ search: 'random', space, objective: MAX, seed: 1 }, number, [], taken)!)
  t.strictSame(taken.map(({ kind }) => kind).sort(), ['a', 'b', 'c'])
  t.equal(suggest({ search: 'random', space, objective: MAX, seed: 1 }, 3, [], taken), undefined)
  t.equal(suggest({ search: 'grid', space, objective: MAX, seed: 1 }, 3, [], taken), undefined)
})

t.test('what is suggested depends on nothing but what it is told', async t => {
  for (const search of ['random', 'halving', 'bayesian'] as const) t.strictSame(run(search, 20, 7), run(search, 20, 7), search)
})

t.test('the Bayesian search comes closer than a random one', async t => {
  const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9]
  const median = (search: SearchName): number => seeds.map(seed => best(run(search, 40, seed))).sort((a, b) => a - b)[4]!
  t.ok(median('bayesian') > median('random'), `${median('bayesian')} against ${median('random')}`)
  t.ok(median('bayesian') > -0.005)
})

t.test('trials are compared after 1, 3, 9, … epochs', async t => {
  t.strictSame(Array.from({ length: 30 }, (_, index) => index + 1).filter(isRung), [1, 3, 9, 27])
})

t.test('a trial goes on while it is in the best third of those that came as far', async t => {
  t.equal(keepsOn(MAX, 0.1, []), true, 'the first')
  t.equal(keepsOn(MAX, 0.5, [0.1, 0.2]), true)
  t.equal(keepsOn(MAX, 0.1, [0.5]), false)
  t.equal(keepsOn(MAX, 0.3, [0.1, 0.2, 0.4, 0.05, 0.06]), true, 'second of six')
  t.equal(keepsOn(MAX, 0.3, [0.1, 0.5, 0.4, 0.05, 0.06]), false, 'third of six')
  t.equal(keepsOn({ figure: 'val_loss', direction: 'min' }, 0.1, [0.5, 0.6]), true, 'less is better')
})

t.test('only those count that came as far', async t => {
  t.strictSame(valuesAt(3, [[1, 2, 3, 4], [5], [], [6, 7, 8]]), [3, 8])
})

t.test('a trial that went all the way wins over one that was given up', async t => {
  const result = (number: number, state: TrialResult['state'], value?: number): TrialResult => ({ number, state, hyperparameters: {}, values: [], seconds: 0, ...(value !== undefined && { value }) })
  t.equal(winner(MAX, [result(0, 'stopped', 0.9), result(1, 'done', 0.8), result(2, 'done', 0.85), result(3, 'failed')])?.number, 2)
  t.equal(winner(MAX, [result(0, 'stopped', 0.9), result(3, 'failed')])?.number, 0)
  t.equal(winner(MAX, [result(3, 'failed')]), undefined)
})
