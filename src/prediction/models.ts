import type { Handle, ModelVersion } from '../registry/model-version.ts'

/** The part of the registry that predictions use; tests may give their own to force a fault. */
export interface Models {
  /** @throws ModelNotFoundError, VersionNotFoundError, ModelNotReadyError */
  acquire (model: string, version?: number): Handle
  list (): readonly ListedModel[]
  /** The first scan and its loads are over and something serves. */
  isReady (): boolean
}

export interface ListedModel {
  readonly name: string
  /** Unknown until a version has been loaded. */
  readonly task?: string | undefined
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
