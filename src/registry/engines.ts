import { releaseMemory, type LoadedSavedModel, type SessionOptions } from '../tensorflow/index.ts'
import { asSaved, compiledEngine, frozenEngine, knownEngine, onOneThreadOf, type Engine, type EngineChoice, type LoadedEngine } from './make-engine.ts'
import type { Candidate } from './smoke-run.ts'
import { triedRows, tryEngine, type EngineTrial, type Tried } from './try-engine.ts'

export interface ChosenEngine {
  readonly engine: Engine
  /** Empty where nothing was to choose, or nothing could be tried. */
  readonly trials: readonly EngineTrial[]
  /** It is what was found of a version alike. */
  readonly isKnown: boolean
  readonly notes: readonly string[]
}

/** How much better another engine has to be than the model as it was loaded. */
const GAIN = 1.05
/** What one thread is worth beside its figures: a trial has the machine to itself, but requests need cores too, for HTTP and for decoding. */
const ONE_THREAD = 1.25

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
  await releaseMemory() // what loading took would otherwise be there beside two engines
  const contest = await Contest.open(tried, first, signal)
  const frozen = await frozenEngine(tried, first, Object.keys(candidate.signatures), session)
  const isVaried = !session.intraOpThreads && first.choice.threads > 1
  if (typeof frozen !== 'string') await contest.meet(isVaried ? [frozen, await onOneThreadOf(frozen, session)] : [frozen])
  else if (isVaried) await contest.meet([await onOneThreadOf(first, session)])
  const refused = triesXla && !session.xla ? await contest.tryCompiled(session) : undefined
  return { ...contest.result, isKnown: false, notes: [...notes('its variables are not made constants', frozen), ...notes('it is not compiled by XLA', refused)] }
}

/** @param reason a text; anything else is none */
function notes (what: string, reason: unknown): string[] {
  return typeof reason === 'string' ? [`${what}: ${reason}`] : []
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
    const compiled = await this.#orFree(compiledEngine(this.#tried, this.#best, session))
    if (typeof compiled === 'string') return compiled
    await this.meet([compiled])
    return undefined
  }

  async #orFree<Value> (work: Promise<Value>): Promise<Value> {
    try {
      return await work
    } catch (error) {
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
