import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { choice, integer, type Hyperparameters } from '../../../src/training/tuning/search-space.ts'
import { Study, type StudyPlan } from '../../../src/training/tuning/study.ts'
import type { StartTrial } from '../../../src/training/tuning/trial-child.ts'
import { tune, type TunerOptions } from '../../../src/training/tuning/tuner.ts'

const PLAN: StudyPlan = {
  recipe: 'r',
  data: undefined,
  search: 'grid',
  objective: { figure: 'val_acc', direction: 'max' },
  space: { units: integer(1, 4), kind: choice(['a', 'b']) },
  epochs: 3,
  executions: 1,
  seed: 1
}

/** Trials without a model: an epoch each turn of the event loop, as good as `score` says. */
function trials (score: (hyperparameters: Hyperparameters, epoch: number) => number, started: number[] = []): StartTrial {
  return ({ hyperparameters, epochs, seeds }, onEpoch) => {
    let isGivenUp = false
    started.push(seeds.length)
    const run = async (): Promise<Awaited<ReturnType<StartTrial>['ended']>> => {
      let best = -Infinity
      for (let epoch = 1; epoch <= epochs; epoch++) {
        if (isGivenUp) break
        await new Promise(resolve => { setImmediate(resolve) })
        const value = score(hyperparameters, epoch)
        if (Number.isNaN(value)) return { kind: 'failed', reason: 'diverged' }
        best = Math.max(best, value)
        onEpoch(value)
      }
      return { kind: 'done', bestOfExecutions: seeds.map(() => best), stopped: isGivenUp }
    }
    return { ended: run(), giveUp: () => { isGivenUp = true } }
  }
}

async function options (directory: string, plan: StudyPlan, more: Partial<TunerOptions> = {}): Promise<TunerOptions> {
  return {
    plan,
    study: await Study.open(directory, plan),
    modelsDir: 'models',
    trials: 100,
    parallel: 2,
    start: trials(({ units }) => Number(units) / 10),
    onChange: () => {},
    signal: new AbortController().signal,
    ...more
  }
}

t.test('every combination is tried once, and kept', async t => {
  const directory = t.testdir()
  const given = await options(directory, PLAN)
  await tune(given)
  t.equal(given.study.results.length, 8)
  t.strictSame([...given.study.results].map(({ number }) => number).sort(), [0, 1, 2, 3, 4, 5, 6, 7])
  t.equal((await readdir(join(directory, 'trials'))).length, 8)
  t.match(given.study.results.find(({ hyperparameters }) => hyperparameters['units'] === 4), { state: 'done', value: 0.4, values: [0.4, 0.4, 0.4], bestEpoch: 1 })
})

t.test('a trial that fails is lost alone, and says why', async t => {
  const given = await options(t.testdir(), PLAN, { start: trials(({ units }, epoch) => units === 2 && epoch === 2 ? NaN : 0.5) })
  await tune(given)
  t.equal(given.study.results.filter(({ state }) => state === 'done').length, 6)
  t.match(given.study.results.find(({ state }) => state === 'failed'), { hyperparameters: { units: 2 }, reason: 'diverged', values: [0.5] })
})

t.test('a search that was stopped goes on with what was not finished', async t => {
  const directory = t.testdir()
  const stop = new AbortController()
  let ended = 0
  const first = await options(directory, PLAN, { signal: stop.signal, parallel: 1, onChange: running => { if (running.length === 0 && ++ended === 3) stop.abort() } })
  await tune(first)
  t.equal(first.study.results.length, 3)

  const started: number[] = []
  const second = await options(directory, PLAN, { start: trials(() => 0.5, started) })
  t.equal(second.study.results.length, 3, 'what was finished is there')
  await tune(second)
  t.equal(started.length, 5, 'and is not done again')
  t.equal(second.study.results.length, 8)
})

t.test('no more trials than asked for, those of earlier runs counted', async t => {
  const directory = t.testdir()
  await tune(await options(directory, PLAN, { trials: 3 }))
  const again = await options(directory, PLAN, { trials: 5 })
  await tune(again)
  t.equal(again.study.results.length, 5)
})

t.test('successive halving gives up what falls behind', async t => {
  const plan: StudyPlan = { ...PLAN, search: 'halving', epochs: 9, space: { units: integer(1, 30) } }
  const given = await options(t.testdir(), plan, { trials: 20, start: trials(({ units }, epoch) => Number(units) / 100 + epoch / 1000) })
  await tune(given)
  const states = given.study.results.map(({ state }) => state)
  t.ok(states.filter(state => state === 'stopped').length > 8, `${states.filter(state => state === 'stopped').length} given up`)
  const best = given.study.results.reduce((a, b) => Number(a.hyperparameters['units']) > Number(b.hyperparameters['units']) ? a : b)
  t.match(best, { state: 'done', values: { length: 9 } }, 'the best is not')
})

t.test('each trial is executed as often as asked for, and the mean counts', async t => {
  const started: number[] = []
  const given = await options(t.testdir(), { ...PLAN, executions: 3 }, { trials: 1, start: trials(() => 0.5, started) })
  await tune(given)
  t.strictSame(started, [3])
  t.equal(given.study.results[0]?.value, 0.5)
})

t.test('a folder of another search is refused, naming what differs', async t => {
  const directory = t.testdir()
  await Study.open(directory, PLAN)
  await t.rejects(Study.open(directory, { ...PLAN, epochs: 4, seed: 2 }), { code: 'TRAIN_BAD_STUDY', message: /another search \(epochs, seed\)/ })
})

t.test('a trial that can not be read is named', async t => {
  const directory = t.testdir()
  await mkdir(join(directory, 'trials'))
  await writeFile(join(directory, 'trials', '0.json'), '{')
  await t.rejects(Study.open(directory, PLAN), { code: 'TRAIN_BAD_STUDY', message: /0\.json/ })
})
