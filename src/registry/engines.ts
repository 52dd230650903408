import { availableParallelism } from 'node:os'
import { freezeSavedModel, loadSavedModel, releaseMemory, TensorFlowError, type FrozenModel, type LoadedSavedModel, type RunnableModel, type SessionOptions, type Signature, type TensorValue } from '../tensorflow/index.ts'
import { differenceFrom } from './golden.ts'
import { shapesOf, takesBatches, variedInputs } from './made-up-inputs.ts'
import { variableBytes } from './likeness.ts'
import { mainSignature } from './main-signature.ts'
import { inFlightCandidates, runsPerSecond } from './run-rate.ts'
import type { Candidate } from './smoke-run.ts'

/** A way to run a version: as it was loaded, or with its variables made constants, on so many threads. */
export interface EngineChoice {
  readonly graph: 'as saved' | 'frozen'
  /** TensorFlow's threads inside one operation. */
  readonly threads: number
  /** Compiled by XLA. */
  readonly xla: boolean
  /** Of products and convolutions. */
  readonly precision: 'float32' | 'bfloat16'
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

interface LoadedEngine { readonly kind: 'loaded', readonly choice: EngineChoice, readonly model: LoadedSavedModel }
interface FrozenEngine { readonly kind: 'frozen', readonly choice: EngineChoice, readonly model: FrozenModel }
export type Engine = LoadedEngine | FrozenEngine

export interface ChosenEngine {
  readonly engine: Engine
  /** Empty where nothing was to choose, or nothing could be tried. */
  readonly trials: readonly EngineTrial[]
  /** It is what was found of a version alike. */
  readonly isKnown: boolean
  readonly notes: readonly string[]
}

/** Milliseconds for each figure of an engine, and for each of the times of which the best is that figure: whatever else the machine does only slows. */
const [TRIAL_MS, TIME_MS] = [25, 5]
/** Rows of the runs of several: as many as take so many milliseconds. */
const [LEAST_ROWS, MOST_ROWS, SEVERAL_MS] = [2, 8, 50]
/** How much better another engine has to be than the model as it was loaded. */
const GAIN = 1.05
/** What one thread is worth beside its figures: a trial has the machine to itself, but requests need cores too, for HTTP and for decoding. */
const ONE_THREAD = 1.15
/** How far a frozen graph's numbers may be from the loaded one's, for the largest of them: kernels add up in another order, and round in other places. */
const TOLERANCE = { float32: 1e-4, bfloat16: 2e-2 }
/** The same for what XLA compiles on a GPU, where products of both may be in TF32, with 10 bits of mantissa. */
const XLA_TOLERANCE = 5e-3
/** A model whose single run takes longer, in milliseconds, is not tried in other ways: that would take seconds. */
const SLOW_RUN_MS = 300

export interface EngineTerms {
  /** What the operator decided; a number of threads given there is not varied. */
  readonly session: SessionOptions
  /** The best of the others is tried once more, compiled by XLA. */
  readonly triesXla: boolean
  /** What was found of a version alike: it is taken if this one gives the same numbers so, and nothing is tried. */
  readonly known?: KnownEngine | undefined
  readonly signal: AbortSignal
}

/** A choice, and what it was made by. */
interface KnownEngine {
  readonly engine: EngineChoice
  readonly engines: readonly EngineTrial[]
}

/**
 * Runs a version in the ways that there are and takes the fastest: by what one row takes, what rows one by one bring, and rows in batches (the geometric mean
 * of the three). They are tried one after another, and no more than two take memory at once. What is not taken is freed, `loaded` too.
 */
export async function chooseEngine (candidate: Candidate, loaded: LoadedSavedModel, { session, triesXla, known, signal }: EngineTerms): Promise<ChosenEngine> {
  const first: LoadedEngine = { kind: 'loaded', choice: asSaved(session), model: loaded }
  const tried = await triedRows(candidate, loaded)
  if (tried === undefined) return { engine: first, trials: [], isKnown: known?.engines.length === 0, notes: [] }
  const engine = known && await knownEngine(tried, first, known.engine, { session, signatures: Object.keys(candidate.signatures) })
  if (engine !== undefined) return { engine, trials: known!.engines, isKnown: true, notes: [] }
  const contest = await Contest.open(tried, first, signal)
  const frozen = await frozenEngine(tried, first, Object.keys(candidate.signatures), session)
  const isVaried = !session.intraOpThreads && first.choice.threads > 1
  if (typeof frozen !== 'string') await contest.meet(isVaried ? [frozen, frozenOnOneThread(frozen, session)] : [frozen])
  else if (isVaried) await contest.meet([await onOneThreadOf(first, session)])
  const refused = triesXla && !session.xla ? await contest.tryCompiled(session) : undefined
  return { ...contest.result, isKnown: false, notes: [...notes('its variables are not made constants', frozen), ...notes('it is not compiled by XLA', refused)] }
}

/** @param reason a text; anything else is none */
function notes (what: string, reason: unknown): string[] {
  return typeof reason === 'string' ? [`${what}: ${reason}`] : []
}

/** How a version runs that nothing was tried for. */
export function asSaved ({ intraOpThreads, xla = false, bfloat16 = false }: SessionOptions = {}): EngineChoice {
  return { graph: 'as saved', threads: intraOpThreads || availableParallelism(), xla, precision: bfloat16 ? 'bfloat16' : 'float32' }
}

/** The first, or the best of those that are better than it by enough. Pure. */
export function best (trials: readonly EngineTrial[]): number {
  const scores = trials.map(({ threads, single, rows, batched }) => Math.cbrt(single * rows * batched) * (threads === 1 ? ONE_THREAD : 1))
  return scores.reduce((chosen, score, index) => score > (chosen === 0 ? GAIN : 1) * scores[chosen]! ? index : chosen, 0)
}

/** The best engine so far, and what all of them gave. */
class Contest {
  readonly #tried: Tried
  readonly #signal: AbortSignal
  readonly #trials: EngineTrial[] = []
  #best: Engine

  private constructor (tried: Tried, first: Engine, signal: AbortSignal) {
    this.#tried = tried
    this.#best = first
    this.#signal = signal
  }

  static async open (tried: Tried, first: Engine, signal: AbortSignal): Promise<Contest> {
    const contest = new Contest(tried, first, signal)
    contest.#trials.push(await tryEngine(tried, first))
    return contest
  }

  get result (): Pick<ChosenEngine, 'engine' | 'trials'> {
    return { engine: this.#best, trials: this.#trials }
  }

  /** Tries more, in this order. Of each and the best so far, the one that is not as good is freed; all are if a trial fails. */
  async meet (engines: readonly Engine[]): Promise<void> {
    try {
      for (const engine of engines) {
        this.#signal.throwIfAborted()
        await this.#meetOne(engine)
      }
    } catch (error) {
      for (const { model } of [this.#best, ...engines]) await model.dispose()
      throw error
    }
  }

  /**
   * Tries the best so far compiled by XLA, if it gives the same numbers then.
   *
   * @returns why it can't be, in plain words
   */
  async tryCompiled (session: SessionOptions): Promise<string | undefined> {
    let compiled: Engine | undefined
    try {
      this.#signal.throwIfAborted()
      compiled = await compiledEngine(this.#best, session)
      const difference = await differenceBetween(this.#tried, this.#best.model, compiled.model, XLA_TOLERANCE)
      if (difference === undefined) await this.#meetOne(compiled)
      else await compiled.model.dispose()
      return difference
    } catch (error) {
      await compiled?.model.dispose()
      if (error instanceof TensorFlowError) return error.message
      await this.#best.model.dispose()
      throw error
    }
  }

  async #meetOne (engine: Engine): Promise<void> {
    this.#trials.push(await tryEngine(this.#tried, engine))
    const isBest = best(this.#trials) === this.#trials.length - 1
    const worse = isBest ? this.#best : engine
    if (isBest) this.#best = engine
    await worse.model.dispose()
    await releaseMemory() // what the next one takes would otherwise come on top
  }
}

/**
 * @param signatures all that are served: none of them may write what another one reads as a constant
 * @returns why there is none, in plain words
 */
async function frozenEngine (tried: Tried, { choice, model: loaded }: LoadedEngine, signatures: readonly string[], session: SessionOptions): Promise<FrozenEngine | string> {
  if (await variableBytes(loaded.directory) > MAX_FROZEN_BYTES) return `they are larger than the ${MAX_FROZEN_BYTES / 2 ** 20} MiB that are tried`
  const freezing = await freezeSavedModel(loaded, signatures, session)
  if (freezing.kind === 'refused') return freezing.reason
  const { model } = freezing
  try {
    const difference = await differenceBetween(tried, loaded, model, TOLERANCE[choice.precision])
    if (difference === undefined) return { kind: 'frozen', choice: { ...choice, graph: 'frozen' }, model }
    await model.dispose()
    return difference
  } catch (error) {
    await model.dispose()
    throw error
  }
}

/** Where nothing else is asked for, a run stays on the thread that it was started on: to hand it to another and back takes 0.1 ms, and of both threads' time. */
function onOneThread (session: SessionOptions): SessionOptions {
  return { ...session, intraOpThreads: 1, interOpThreads: session.interOpThreads || -1 }
}

/** Takes no memory worth speaking of before its first run, and keeps the graph that it shares when the given one is freed. */
function frozenOnOneThread ({ kind, choice, model }: FrozenEngine, session: SessionOptions): FrozenEngine {
  return { kind, choice: { ...choice, threads: 1 }, model: model.withSession(onOneThread(session)) }
}

async function loadedOnOneThread ({ kind, choice, model }: LoadedEngine, session: SessionOptions): Promise<LoadedEngine> {
  return { kind, choice: { ...choice, threads: 1 }, model: await loadSavedModel(model.directory, { session: onOneThread(session) }) }
}

async function onOneThreadOf (engine: Engine, session: SessionOptions): Promise<Engine> {
  return engine.kind === 'frozen' ? frozenOnOneThread(engine, session) : await loadedOnOneThread(engine, session)
}

/**
 * Makes the engine that is known to run a version alike best; whatever else that takes is freed.
 *
 * @returns undefined if it gives other numbers: then there is only the first, as before
 */
async function knownEngine (tried: Tried, first: LoadedEngine, known: EngineChoice, { session, signatures }: { session: SessionOptions, signatures: readonly string[] }): Promise<Engine | undefined> {
  const made: Engine[] = []
  const free = async (): Promise<void> => { for (const { model } of made) await model.dispose() }
  const last = (): Engine => made.at(-1) ?? first
  try {
    if (known.graph === 'frozen') {
      const frozen = await frozenEngine(tried, first, signatures, session)
      if (typeof frozen === 'string') return undefined
      made.push(frozen)
    }
    if (known.threads === 1 && first.choice.threads > 1) made.push(await onOneThreadOf(last(), session))
    if (known.xla && !first.choice.xla) {
      made.push(await compiledEngine(last(), session))
      if (await differenceBetween(tried, first.model, last().model, XLA_TOLERANCE) !== undefined) {
        await free()
        return undefined
      }
    }
  } catch (error) {
    await free()
    throw error
  }
  const engine = made.pop()
  if (engine === undefined) return first
  await free()
  await first.model.dispose()
  return engine
}

/** Takes a session more, and of one as saved its variables once more. */
async function compiledEngine (engine: Engine, session: SessionOptions): Promise<Engine> {
  const { kind, choice, model } = engine
  const options = { ...(choice.threads === 1 ? onOneThread(session) : session), xla: true }
  if (kind === 'frozen') return { kind, choice: { ...choice, xla: true }, model: model.withSession(options) }
  return { kind, choice: { ...choice, xla: true }, model: await loadSavedModel(model.directory, { session: options }) }
}

/** Before the first run TensorFlow copies constants many times: some 30 ms a MB. */
const MAX_FROZEN_BYTES = 128 * 2 ** 20

/** A signature with made-up rows of it, and how many rows a run of several has. */
interface Tried {
  readonly signature: Signature
  readonly one: Record<string, TensorValue>
  readonly several: Record<string, TensorValue>
  readonly rows: number
}

/** The signature that matters most. @returns undefined if it does not run with made-up rows, or takes long */
async function triedRows ({ signatures, manifest }: Candidate, loaded: RunnableModel): Promise<Tried | undefined> {
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
async function tryEngine ({ signature, one, several, rows }: Tried, { choice, model }: Engine): Promise<EngineTrial> {
  const runOne = async (): Promise<unknown> => await model.run(signature.name, one)
  const runSeveral = async (): Promise<unknown> => await model.run(signature.name, several)
  await runOne()
  await runSeveral()
  const single = await bestRate(runOne, 1)
  let most = { inFlight: 1, rate: single }
  for (const inFlight of inFlightCandidates(model.session, choice.threads)) {
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

async function differenceBetween ({ signature, several }: Tried, loaded: RunnableModel, other: RunnableModel, tolerance: number): Promise<string | undefined> {
  const [expected, found] = [await loaded.run(signature.name, several), await other.run(signature.name, several)]
  return Object.entries(expected).map(([name, tensor]) => differenceFrom(tensor, found[name]!, tolerance * largest(tensor))).find(difference => difference !== undefined)
}

/** At least 1. */
function largest ({ dtype, data }: TensorValue): number {
  if (dtype !== 'float32' && dtype !== 'float64') return 1
  return (data as Float32Array).reduce((most, value) => Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most, 1)
}
