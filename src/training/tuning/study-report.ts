import { lineChart, parallelChart, savePicture, type ParallelAxis } from '../plotting/index.ts'
import type { Dimension, SearchSpace } from './search-space.ts'
import { isBetter, type Objective, type TrialResult } from './trial.ts'

/** Draws what the trials of a search gave into its folder: `best-so-far` and `parallel-coordinates`. */
export async function drawStudy (folder: string, { objective, space }: { readonly objective: Objective, readonly space: SearchSpace }, results: readonly TrialResult[]): Promise<void> {
  const measured = results.filter((result): result is TrialResult & { value: number } => result.value !== undefined)
  await savePicture(folder, 'best-so-far', lineChart({
    title: `${objective.figure} of trials, and the best so far`,
    xName: 'trial',
    yName: objective.figure,
    lines: [
      { name: 'best so far', points: bestSoFar(objective, measured) },
      { name: 'trial', points: measured.map(({ number, value }) => [number, value]), isScattered: true }
    ],
    isCounted: true
  }))
  const axes = Object.entries(space).map(([name, dimension]) => axisOf(name, dimension))
  const rows = measured.map(({ hyperparameters, value }) => [...axes.map(({ name, values }) => cellOf(hyperparameters[name], values)), value])
  await savePicture(folder, 'parallel-coordinates', parallelChart('Hyperparameters of trials', [...axes, { name: objective.figure }], rows, { isLessBetter: objective.direction === 'min' }))
}

/** Pure. */
export function bestSoFar (objective: Objective, results: readonly { readonly number: number, readonly value: number }[]): [number, number][] {
  let best: number | undefined
  return results.map(({ number, value }) => {
    if (isBetter(objective, value, best)) best = value
    return [number, best!]
  })
}

function axisOf (name: string, dimension: Dimension): ParallelAxis {
  if (dimension.kind === 'choice') return { name, values: dimension.values.map(String) }
  return { name, isLogarithmic: dimension.isLog === true, isCounted: dimension.kind === 'integer' }
}

function cellOf (value: number | string | boolean | undefined, values: readonly string[] | undefined): number | string | undefined {
  return value === undefined ? undefined : values === undefined ? Number(value) : String(value)
}
