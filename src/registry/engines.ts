import { readdir, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { freezeSavedModel, loadSavedModel, TensorFlowError, type Freezing, type FrozenModel, type LoadedSavedModel, type RunnableModel, type SessionOptions, type Signature, type TensorValue } from '../tensorflow/index.ts'
import { differenceFrom } from './golden.ts'
import { shapesOf, takesBatches, variedInputs } from './made-up-inputs.ts'
import { inFlightCandidates, runsPerSecond } from './run-rate.ts'
import type { Candidate } from './smoke-run.ts'

/** A way to run a version: as it was loaded, or with its variables made constants, on so many threads. */
export interface EngineChoice {
  readonly graph: 'as saved' | 'frozen'
  /** TensorFlow's threads inside one operation. */
  readonly threads: number
}

/** What an engine gave, in a second. */
export interface EngineTrial extends EngineChoice {
  /** Runs of one row with nothing else in flight. */
  readonly single: number
  /** Runs of one row, as many in flight as bring most. */
  readonly rows: number
  /** Rows in runs of several, as many in flight as bring most. */
  readonly batched: number
}

export type Engine = { readonly choice: EngineChoice } &
  ({ readonly kind: 'loaded', readonly model: LoadedSavedModel } | { readonly kind: 'frozen', readonly model: FrozenModel })

export interface ChosenEngine {
  readonly engine: Engine
  /** Empty where nothing was to choose, or nothing could be tried. */
  readonly trials: readonly EngineTrial[]
  readonly notes: readonly string[]
}

/** Milliseconds for each figure of an engine. */
const TRIAL_MS = 30
/** Rows of the runs of several. */
const TRIAL_ROWS = 8
/** How much better another engine has to be than the model as it was loaded. */
const GAIN = 1.05
/** How far a frozen graph's numbers may be from the loaded one's, for the largest of them: kernels add up in another order. */
const TOLERANCE = 1e-4
/** A model whose single run takes longer, in milliseconds, is not tried in other ways: that would take seconds. */
const SLOW_RUN_MS = 300

/**
 * Runs a version in the ways that there are and takes the fastest: by what one row takes, what rows one by one bring, and rows in batches (the geometric mean
 * of the three). What is not taken is freed, but never `loaded`, which is the caller's.
 *
 * @param session what the operator decided; a number of threads given there is not varied
 */
export async function chooseEngine (candidate: Candidate, loaded: LoadedSavedModel, session: SessionOptions, signal: AbortSignal): Promise<ChosenEngine> {
  const first: Engine = { kind: 'loaded', choice: { graph: 'as saved', threads: session.intraOpThreads || availableParallelism() }, model: loaded }
  const tried = triedSignature(candidate)
  const singleMs = tried === undefined ? undefined : await singleRunMs(tried, loaded)
  if (tried === undefined || singleMs === undefined || singleMs > SLOW_RUN_MS) return { engine: first, trials: [], notes: [] }
  const engines: Engine[] = [first]
  const notes: string[] = []
  let chosen: Engine = first
  try {
    for await (const engine of otherEngines(first, Object.keys(candidate.signatures), session, notes)) {
      engines.push(engine)
      signal.throwIfAborted()
    }
    const trials: EngineTrial[] = []
    for (const { choice, model } of engines) trials.push({ ...choice, ...await tryEngine(tried, model) })
    const different = await differenceBetween(tried, loaded, engines[best(trials)]!.model)
    if (different === undefined) chosen = engines[best(trials)]!
    else notes.push(`its variables are not made constants: ${different}`)
    return { engine: chosen, trials, notes }
  } finally {
    for (const { model } of engines) if (model !== chosen.model && model !== loaded) await model.dispose()
  }
}

/** The first, or the best of those that are better than it by enough. Pure. */
export function best (trials: readonly EngineTrial[]): number {
  const scores = trials.map(({ single, rows, batched }) => Math.cbrt(single * rows * batched))
  return scores.reduce((chosen, score, index) => score > (chosen === 0 ? GAIN : 1) * scores[chosen]! ? index : chosen, 0)
}

/** @param signatures all that are served: none of them may write what another one reads as a constant */
async function * otherEngines ({ choice, model: loaded }: Extract<Engine, { kind: 'loaded' }>, signatures: readonly string[], session: SessionOptions, notes: string[]): AsyncGenerator<Engine> {
  const alone = { ...session, intraOpThreads: 1 }
  const variesThreads = !session.intraOpThreads && choice.threads > 1
  const freezing = await isLarge(loaded) ? TOO_LARGE : await freezeSavedModel(loaded, signatures, session)
  if (freezing.kind === 'refused') notes.push(`its variables are not made constants: ${freezing.reason}`)
  else yield { kind: 'frozen', choice: { ...choice, graph: 'frozen' }, model: freezing.model }
  if (!variesThreads) return
  if (freezing.kind === 'frozen') yield { kind: 'frozen', choice: { graph: 'frozen', threads: 1 }, model: freezing.model.withSession(alone) }
  else yield { kind: 'loaded', choice: { ...choice, threads: 1 }, model: await loadSavedModel(loaded.directory, { session: alone }) }
}

/** Before the first run TensorFlow copies constants many times: some 30 ms a MB. */
const MAX_FROZEN_BYTES = 128 * 2 ** 20
const TOO_LARGE: Freezing = { kind: 'refused', reason: `they are larger than the ${MAX_FROZEN_BYTES / 2 ** 20} MiB that are tried` }

async function isLarge ({ directory }: LoadedSavedModel): Promise<boolean> {
  const folder = join(directory, 'variables')
  const names = await readdir(folder).catch(() => [])
  const sizes = await Promise.all(names.map(async name => (await stat(join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0) > MAX_FROZEN_BYTES
}

/** A signature with what its rows look like. */
interface Tried {
  readonly signature: Signature
  /** @returns undefined if they would be too large */
  readonly inputs: (rows: number) => Record<string, TensorValue> | undefined
}

/** The manifest's signature, if it can be tried with made-up rows. */
function triedSignature ({ signatures, manifest }: Candidate): Tried | undefined {
  const signature = signatures[manifest.signature ?? 'serving_default'] ?? Object.values(signatures)[0]
  if (signature === undefined || signature.changesState || !takesBatches(signature)) return undefined
  const known = shapesOf(signature, manifest)
  return { signature, inputs: rows => variedInputs(signature, rows, known) }
}

/** @returns undefined if it does not run with made-up rows */
async function singleRunMs ({ signature, inputs }: Tried, model: RunnableModel): Promise<number | undefined> {
  const [row, several] = [inputs(1), inputs(TRIAL_ROWS)]
  if (row === undefined || several === undefined) return undefined
  try {
    await model.run(signature.name, row)
    const startedAt = performance.now()
    await model.run(signature.name, row)
    return performance.now() - startedAt
  } catch (error) {
    if (error instanceof TensorFlowError) return undefined
    throw error
  }
}

async function tryEngine ({ signature, inputs }: Tried, model: RunnableModel): Promise<Pick<EngineTrial, 'single' | 'rows' | 'batched'>> {
  const runOf = (rows: number): (() => Promise<unknown>) => {
    const given = inputs(rows)!
    return async () => await model.run(signature.name, given)
  }
  const [one, several] = [runOf(1), runOf(TRIAL_ROWS)]
  await one()
  await several()
  const most = async (run: () => Promise<unknown>): Promise<number> => {
    let found = 0
    for (const inFlight of inFlightCandidates(model.session)) found = Math.max(found, await runsPerSecond(run, inFlight, TRIAL_MS))
    return found
  }
  return { single: await runsPerSecond(one, 1, TRIAL_MS), rows: await most(one), batched: TRIAL_ROWS * await most(several) }
}

async function differenceBetween ({ signature, inputs }: Tried, loaded: RunnableModel, other: RunnableModel): Promise<string | undefined> {
  if (other === loaded) return undefined
  const rows = inputs(2)!
  const [expected, found] = [await loaded.run(signature.name, rows), await other.run(signature.name, rows)]
  return Object.entries(expected).map(([name, tensor]) => differenceFrom(tensor, found[name]!, TOLERANCE * largest(tensor))).find(difference => difference !== undefined)
}

/** At least 1. */
function largest ({ dtype, data }: TensorValue): number {
  if (dtype !== 'float32' && dtype !== 'float64') return 1
  return (data as Float32Array).reduce((most, value) => Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most, 1)
}
