import type { TrainingCallback, TrainingControl } from './callback.ts'

/** The learning rate of steps, each [steps done before, rate]. */
export type RateTrace = readonly (readonly [number, number])[]

/** Points of a long run: every second is left out whenever there are more. */
const MOST_POINTS = 2000

/** Keeps the learning rate of every step, or of every so many in a long run. */
export function traceRates (): TrainingCallback & { readonly trace: RateTrace } {
  let every = 1
  let trace: [number, number][] = []
  const note = ({ steps, learningRate }: Pick<TrainingControl, 'steps' | 'learningRate'>): void => {
    if (steps % every !== 0) return
    trace.push([steps, learningRate])
    if (trace.length <= MOST_POINTS) return
    every *= 2
    trace = trace.filter(([step]) => step % every === 0)
  }
  return {
    name: 'traceRates',
    get trace () { return trace },
    onTrainBegin: note,
    onlyWatches: true,
    onStep: note,
    state: () => ({ values: { every, trace } }),
    restore: ({ values }) => { ({ every, trace } = values as { every: number, trace: [number, number][] }) }
  }
}
