import { TensorFlowError, type RunnableModel, type Signature, type TensorValue } from '../tensorflow/index.ts'
import { differenceFrom } from './golden.ts'
import { shapesOf, takesBatches, variedInputs } from './made-up-inputs.ts'
import { mainSignature } from './main-signature.ts'
import type { Engine, EngineChoice } from './make-engine.ts'
import { inFlightCandidates, runsPerSecond } from './run-rate.ts'
import type { Candidate } from './smoke-run.ts'

/** What an engine gave, in a second. */
export interface EngineTrial extends EngineChoice {
  /** Runs of one row with nothing else in flight. */
  readonly single: number
  /** Runs of one row, as many in flight as bring most. */
  readonly rows: number
  /** Rows in runs of several, as many in flight as bring most. */
  readonly batched: number
}

/** Milliseconds for each figure of an engine, and for each of the times of which the best is that figure: whatever else the machine does only slows. */
const [TRIAL_MS, TIME_MS] = [25, 5]
/** Rows of the runs of several: as many as take so many milliseconds. */
const [LEAST_ROWS, MOST_ROWS, SEVERAL_MS] = [2, 8, 50]
/** A model whose single run takes longer, in milliseconds, is not tried in other ways: that would take seconds. */
const SLOW_RUN_MS = 300

/** A signature with made-up rows of it, and how many rows a run of several has. */
export interface Tried {
  readonly signature: Signature
  readonly one: Record<string, TensorValue>
  readonly several: Record<string, TensorValue>
  readonly rows: number
}

/** The signature that matters most. @returns undefined if it does not run with made-up rows, or takes long */
export async function triedRows ({ signatures, manifest }: Candidate, loaded: RunnableModel): Promise<Tried | undefined> {
  const signature = mainSignature(signatures, manifest)
  if (signature === undefined || signature.changesState || !takesBatches(signature)) return undefined
  const inputs = (rows: number): Record<string, TensorValue> | undefined => variedInputs(signature, rows, shapesOf(signature, manifest))
  const one = inputs(1)
  const singleMs = one === undefined ? Infinity : await runMs(signature, one, loaded)
  if (one === undefined || singleMs > SLOW_RUN_MS) return undefined
  const rows = Math.max(LEAST_ROWS, Math.min(MOST_ROWS, Math.floor(SEVERAL_MS / singleMs)))
  const several = inputs(rows)
  if (several === undefined || await runMs(signature, several, loaded) === Infinity) return undefined
  return { signature, one, several, rows }
}

/** Milliseconds of a run that is not the first. @returns Infinity if TensorFlow refuses what it is given */
async function runMs ({ name }: Signature, inputs: Record<string, TensorValue>, model: RunnableModel): Promise<number> {
  try {
    await model.run(name, inputs)
    const startedAt = performance.now()
    await model.run(name, inputs)
    return performance.now() - startedAt
  } catch (error) {
    if (error instanceof TensorFlowError) return Infinity
    throw error
  }
}

/** With the number of runs in flight that brings most rows one by one, runs of several are timed too. */
export async function tryEngine ({ signature, one, several, rows }: Tried, { choice, model }: Engine): Promise<EngineTrial> {
  const runOne = async (): Promise<unknown> => await model.run(signature.name, one)
  const runSeveral = async (): Promise<unknown> => await model.run(signature.name, several)
  await runOne()
  await runSeveral()
  const single = await bestRate(runOne, 1)
  let most = { inFlight: 1, rate: single }
  for (const inFlight of inFlightCandidates(model.session, { threads: choice.threads, runMs: 1000 / single })) {
    const rate = inFlight === 1 ? single : await bestRate(runOne, inFlight)
    if (rate > most.rate) most = { inFlight, rate }
  }
  return { ...choice, single, rows: most.rate, batched: rows * await bestRate(runSeveral, most.inFlight) }
}

/** Runs a second, the most in several short times. */
async function bestRate (run: () => Promise<unknown>, inFlight: number): Promise<number> {
  const startedAt = performance.now()
  let best = 0
  do {
    best = Math.max(best, await runsPerSecond(run, inFlight, TIME_MS))
  } while (performance.now() - startedAt < TRIAL_MS)
  return best
}

/** @returns in which of their outputs two ways to run a signature differ by more, for the largest number of that output; undefined: in none */
export async function differenceBetween ({ signature, several }: Tried, loaded: RunnableModel, other: RunnableModel, tolerance: number): Promise<string | undefined> {
  const [expected, found] = [await loaded.run(signature.name, several), await other.run(signature.name, several)]
  return Object.entries(expected).map(([name, tensor]) => differenceFrom(tensor, found[name]!, tolerance * largest(tensor))).find(difference => difference !== undefined)
}

/** At least 1. */
function largest ({ dtype, data }: TensorValue): number {
  if (dtype !== 'float32' && dtype !== 'float64') return 1
  return (data as Float32Array).reduce((most, value) => Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most, 1)
}
