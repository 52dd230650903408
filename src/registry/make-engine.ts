import { availableParallelism } from 'node:os'
import { freezeSavedModel, loadSavedModel, TensorFlowError, type FrozenModel, type LoadedSavedModel, type RunnableModel, type SessionOptions } from '../tensorflow/index.ts'
import { variableBytes } from './likeness.ts'
import { differenceBetween, type Tried } from './try-engine.ts'

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

export interface LoadedEngine { readonly kind: 'loaded', readonly choice: EngineChoice, readonly model: LoadedSavedModel }
export interface FrozenEngine { readonly kind: 'frozen', readonly choice: EngineChoice, readonly model: FrozenModel }
export type Engine = LoadedEngine | FrozenEngine

/** Before the first run TensorFlow copies constants many times: some 30 ms a MB. */
const MAX_FROZEN_BYTES = 128 * 2 ** 20
/** How far a frozen graph's numbers may be from the loaded one's, for the largest of them: kernels add up in another order, and round in other places. */
const TOLERANCE = { float32: 1e-4, bfloat16: 2e-2 }
/** The same for what XLA compiles on a GPU, where products of both may be in TF32, with 10 bits of mantissa. */
const XLA_TOLERANCE = 5e-3

/** How a version runs that nothing was tried for. */
export function asSaved ({ intraOpThreads, xla = false, bfloat16 = false }: SessionOptions = {}): EngineChoice {
  return { graph: 'as saved', threads: intraOpThreads || availableParallelism(), xla, precision: bfloat16 ? 'bfloat16' : 'float32' }
}

/**
 * @param signatures all that are served: none of them may write what another one reads as a constant
 * @returns why there is none, in plain words
 */
export async function frozenEngine (tried: Tried, { choice, model: loaded }: LoadedEngine, signatures: readonly string[], session: SessionOptions): Promise<FrozenEngine | string> {
  if (await variableBytes(loaded.directory) > MAX_FROZEN_BYTES) return `they are larger than the ${MAX_FROZEN_BYTES / 2 ** 20} MiB that are tried`
  const freezing = await freezeSavedModel(loaded, signatures, session)
  if (freezing.kind === 'refused') return freezing.reason
  return await ifSame(tried, loaded, { kind: 'frozen', choice: { ...choice, graph: 'frozen' }, model: freezing.model }, TOLERANCE[choice.precision])
}

/** @returns the engine; where it gives other numbers than the reference, or TensorFlow can't run it, it is freed, and this says why */
async function ifSame<Made extends Engine> (tried: Tried, reference: RunnableModel, made: Made, tolerance: number): Promise<Made | string> {
  let isSame = false
  try {
    const difference = await differenceBetween(tried, reference, made.model, tolerance)
    isSame = difference === undefined
    return difference ?? made
  } catch (error) {
    if (error instanceof TensorFlowError) return error.message
    throw error
  } finally {
    if (!isSame) await made.model.dispose()
  }
}

/** Where nothing else is asked for, a run stays on the thread that it was started on: to hand it to another and back takes 0.1 ms, and of both threads' time. */
function onOneThread (session: SessionOptions): SessionOptions {
  return { ...session, intraOpThreads: 1, interOpThreads: session.interOpThreads || -1 }
}

export async function onOneThreadOf (engine: Engine, session: SessionOptions): Promise<Engine> {
  return await inSession(engine, { ...engine.choice, threads: 1 }, onOneThread(session))
}

/** Once more, in a session of its own. A frozen one shares its graph and takes no memory worth speaking of before its first run; of one as saved the variables are there twice. */
async function inSession ({ kind, model }: Engine, choice: EngineChoice, session: SessionOptions): Promise<Engine> {
  if (kind === 'frozen') return { kind, choice, model: model.withSession(session) }
  return { kind, choice, model: await loadSavedModel(model.directory, { session }) }
}

/**
 * Makes the engine that is known to run a version alike best; whatever else that takes is freed.
 *
 * @returns undefined if it can't be made of this one: then there is only the first, as before
 */
export async function knownEngine (tried: Tried, first: LoadedEngine, known: EngineChoice, { session, signatures }: { session: SessionOptions, signatures: readonly string[] }): Promise<Engine | undefined> {
  const made: Engine[] = [first]
  let taken: Engine = first
  try {
    if (known.graph === 'frozen') {
      const frozen = await frozenEngine(tried, first, signatures, session)
      if (typeof frozen === 'string') return undefined
      made.push(frozen)
    }
    if (known.threads === 1 && first.choice.threads > 1) made.push(await onOneThreadOf(made.at(-1)!, session))
    if (known.xla && !first.choice.xla) {
      const compiled = await compiledEngine(tried, made.at(-1)!, session)
      if (typeof compiled === 'string') return undefined
      made.push(compiled)
    }
    taken = made.at(-1)!
    return taken
  } finally {
    for (const engine of made) if (engine !== taken) await engine.model.dispose()
  }
}

/**
 * The same compiled by XLA.
 *
 * @returns why it can't be, in plain words
 */
export async function compiledEngine (tried: Tried, engine: Engine, session: SessionOptions): Promise<Engine | string> {
  const { choice } = engine
  const compiled = await inSession(engine, { ...choice, xla: true }, { ...(choice.threads === 1 ? onOneThread(session) : session), xla: true })
  return await ifSame(tried, engine.model, compiled, XLA_TOLERANCE)
}
