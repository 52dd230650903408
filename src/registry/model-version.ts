import type { Admission, AdmissionTerms, Reservation } from '../batching/admission.ts'
import type { RunRequest, RunResult, Tensors } from '../batching/run-request.ts'
import type { Signature } from '../tensorflow/index.ts'
import type { Calibration } from './calibrate.ts'
import type { RecentFigures } from './recent-figures.ts'
import type { Manifest } from './manifest.ts'
import type { VersionState } from './version-policy.ts'

export interface RunOptions extends Pick<RunRequest, 'outputs' | 'signal' | 'priority' | 'deadline'> {
  /** The request's place, if it has one. */
  readonly admission?: Admission | undefined
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
  /** The manifest's signature with pixels for input, where it wants floats and the graph scales them. */
  readonly pixels?: Signature | undefined
  readonly state: VersionState
  /** Why it failed. */
  readonly error?: Error | undefined
  /** Whether rows of several requests go into one run of this signature: it then takes any number of them. */
  isBatched (signature: string): boolean
  /**
   * A place for a request, before anything is done for it. Leave it when the request is over, however it ends.
   *
   * @throws QueueFullError if there are more than can be answered in time
   * @throws DeadlineExceededError if those before it take longer than it has time
   */
  admit (terms?: AdmissionTerms): Admission
  /** Keeps a place for a request whose body is still to come: `admit` takes it. @throws as `admit` */
  reserve (terms?: AdmissionTerms): Reservation
  /**
   * Runs a signature off the event loop, its rows together with those of other requests where the signature allows it, as soon as there is a place.
   * One that changes state runs alone of its kind.
   *
   * @throws UnknownSignatureError, BadRequestError, BadTensorError if the request does not fit the signature
   * @throws QueueFullError if too many wait already; DeadlineExceededError if it can't be done in time
   * @throws ClientClosedError, or the signal's own reason, when aborted
   * @throws ModelRejectedInputError if TensorFlow finds the input wrong, InferenceError if it fails otherwise
   */
  run (signature: string, inputs: Tensors, options?: RunOptions): Promise<RunResult>
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
  /** Requests that wait to run. */
  readonly waiting: number
  /** How it is run on this machine, as measured when it was loaded. */
  readonly calibration?: Calibration | undefined
  /** Requests that may be here at once, by the rate at which they are answered now. */
  readonly admissionLimit?: number | undefined
  readonly lastMinute?: RecentFigures | undefined
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
