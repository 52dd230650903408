import type { Reservation } from '../batching/admission.ts'
import type { Priority } from '../batching/run-request.ts'
import type { Handle, ModelVersion, RunOptions } from '../registry/model-version.ts'
import type { Trace } from './trace.ts'

/** The part of the registry that predictions use; tests may give their own to force a fault. */
export interface Models {
  /** @throws ModelNotFoundError, VersionNotFoundError, ModelNotReadyError */
  acquire (model: string, version?: number): Handle
  /** The version that `acquire` would give, not held: for what is done at once. @throws as `acquire` */
  find (model: string, version?: number): ModelVersion
  /** Asked for each request that names no model. */
  offers (): readonly ListedModel[]
  /** The first scan and its loads are over and something serves. */
  isReady (): boolean
}

export interface ListedModel {
  readonly name: string
  /** Unknown until a version has been loaded. */
  readonly task?: string | undefined
}

/** On what terms a request is answered. */
export interface Terms {
  /** Aborts when the client has gone or the time is up. */
  readonly signal: AbortSignal
  /** When the time is up, in the clock of `performance.now`. */
  readonly deadline?: number | undefined
  readonly priority?: Priority | undefined
  /** The place that was kept for it at the door. */
  readonly reservation?: Reservation | undefined
  readonly trace: Trace
}

/** A version that a request has a place at: what `run` is to be told. */
export interface Place {
  readonly version: ModelVersion
  readonly terms: Pick<RunOptions, 'signal' | 'deadline' | 'priority' | 'admission'>
}

/**
 * Holds a version, with a place for the request, while `use` runs.
 *
 * @throws as `withVersion`; QueueFullError, DeadlineExceededError before anything is done
 */
export async function withPlace<T> (models: Models, model: string, version: number | undefined, { trace, reservation, signal, deadline, priority }: Terms, use: (place: Place) => Promise<T>): Promise<T> {
  return await withVersion(models, model, version, async served => {
    trace.serves(served)
    const admission = served.admit({ receivedAt: trace.startedAt, deadline, reservation })
    try {
      return await use({ version: served, terms: { signal, deadline, priority, admission } })
    } finally {
      admission.leave()
    }
  })
}

/** Holds a version while `use` runs, and no longer, whatever happens. */
export async function withVersion<T> (models: Models, model: string, version: number | undefined, use: (version: ModelVersion) => Promise<T>): Promise<T> {
  const handle = models.acquire(model, version)
  try {
    return await use(handle.version)
  } finally {
    handle.release()
  }
}
