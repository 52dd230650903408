import type { Signature, TensorValue } from '../tensorflow/index.ts'
import type { Manifest } from './manifest.ts'
import type { VersionState } from './version-policy.ts'

export interface RunOptions {
  /** Names of the outputs to compute; all if left out. */
  readonly outputs?: readonly string[] | undefined
  /** Gives up waiting for a slot, or for the result, when aborted; an error of ours as its reason is what `run` throws. */
  readonly signal?: AbortSignal | undefined
}

export interface RunResult {
  readonly outputs: Record<string, TensorValue>
  /** Milliseconds spent waiting for a slot. */
  readonly queueMs: number
  /** Milliseconds spent in TensorFlow. */
  readonly inferMs: number
}

/** A version in use. Whoever holds a handle to it may read it and run it. */
export interface ModelVersion {
  readonly model: string
  readonly version: number
  /** Where its files lie, every link resolved. */
  readonly directory: string
  /** Complete: derived from the signature where the version brings none. */
  readonly manifest: Manifest
  /** Those that may be called, with the graph's types and shapes where the file's were wrong. */
  readonly signatures: Readonly<Record<string, Signature>>
  readonly state: VersionState
  /** Why it failed. */
  readonly error?: Error | undefined
  /**
   * Waits for a run slot, then runs a signature off the event loop. One that changes state runs alone of its kind.
   *
   * @throws UnknownSignatureError, BadRequestError, BadTensorError if the request does not fit the signature
   * @throws QueueFullError if too many wait already
   * @throws ClientClosedError, or the signal's own reason, when aborted
   * @throws ModelRejectedInputError if TensorFlow finds the input wrong, InferenceError if it fails otherwise
   */
  run (signature: string, inputs: Readonly<Record<string, TensorValue>>, options?: RunOptions): Promise<RunResult>
}

/** A counted reference: the version stays in memory until every handle is released. */
export interface Handle {
  readonly version: ModelVersion
  /** Idempotent. */
  release (): void
}

/** A version, as /v1/models tells of it. */
export interface VersionStatus {
  readonly version: number
  /** The directory's name. */
  readonly folder: string
  readonly state: VersionState
  /** Since when, milliseconds since 1970; not known of a directory that is refused for its name. */
  readonly since?: number | undefined
  /** What failed: the error's code and message. */
  readonly error?: { readonly code: string, readonly message: string } | undefined
  /** When it became available, milliseconds since 1970. */
  readonly loadedAt?: number | undefined
  readonly loadMs?: number | undefined
  readonly warmUpMs?: number | undefined
  readonly devices: readonly string[]
  readonly signatures: readonly string[]
  /** What was found odd in it, for its makers. */
  readonly notes: readonly string[]
  /** Handles out. */
  readonly handles: number
  /** Runs in TensorFlow. */
  readonly inFlight: number
  /** Runs that wait for a slot. */
  readonly waiting: number
}

/** A version has entered a state. */
export interface VersionStateEvent {
  readonly model: string
  readonly version: number
  readonly state: VersionState
  readonly previous: VersionState
  /** Milliseconds spent in the previous state. */
  readonly previousMs: number
  readonly error?: Error | undefined
}
