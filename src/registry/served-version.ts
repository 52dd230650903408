import { AdmissionControl, type Admission, type AdmissionTerms, type Reservation } from '../batching/admission.ts'
import type { FairGate } from '../batching/fair-gate.ts'
import { once } from '../batching/once.ts'
import { RunQueue } from '../batching/run-queue.ts'
import type { RunReport, RunResult, Stacked, Tensors } from '../batching/run-request.ts'
import { BadManifestError, BadSavedModelError, GoldenMismatchError, UnknownSignatureError } from '../errors.ts'
import { TensorFlowError, type SessionOptions, type Signature } from '../tensorflow/index.ts'
import { checkInputs, checkOutputs } from './check-inputs.ts'
import type { LoadedVersion, LoadVersion, MeasuredVersion } from './load-version.ts'
import type { Manifest } from './manifest.ts'
import type { Handle, ModelVersion, RunOptions, VersionStateEvent, VersionStatus } from './model-version.ts'
import { RecentRuns } from './recent-figures.ts'
import { isInputFault, runError } from './run-error.ts'
import type { FoundVersion } from './scan.ts'
import { retryDelayMs, type InstanceView, type VersionState } from './version-policy.ts'

/** How much is run, and how much may wait. */
export interface RunLimits {
  /** Runs of a version in flight; undefined: what is measured when it is loaded. */
  readonly concurrency: number | undefined
  /** Requests that may wait for a version. */
  readonly maxWaiting: number
  /** Rows of the largest run. */
  readonly maxRows: number
  /** Longest time, in milliseconds, that a row waits for rows that are known to come. */
  readonly maxDelayMs: number
  /** Longest time, in milliseconds, that a request is let in for, by the rate at which others are answered. */
  readonly maxWaitMs: number
}

/** What every version needs of its surroundings. */
export interface VersionDependencies {
  readonly load: LoadVersion
  readonly session?: SessionOptions | undefined
  readonly triesXla?: boolean | undefined
  readonly limits: RunLimits
  /** Places in TensorFlow, shared with other versions. */
  readonly gate: FairGate
  readonly onRun?: ((model: string, report: RunReport) => void) | undefined
  /** A request was refused at the door. */
  readonly onReject?: ((model: string, error: Error) => void) | undefined
  /** What else has to succeed before a version serves: its tokenizer, say. */
  readonly prepare?: ((version: ModelVersion) => Promise<void>) | undefined
  readonly onState: (event: VersionStateEvent) => void
  /** A handle was lost without having been released: its version can never be unloaded. */
  readonly onLeak: (model: string, version: number) => void
}

/** Which version this is, and which try. */
export interface VersionIdentity {
  readonly model: string
  readonly found: FoundVersion
  /** Higher for those made later. */
  readonly id: number
  /** How often it was tried, this time counted. */
  readonly attempt: number
  /** Of the version that serves when this one is loaded. */
  readonly previous?: (() => MeasuredVersion | undefined) | undefined
}

type LoadedKey = 'devices' | 'signatures' | 'notes' | 'calibration' | 'admissionLimit' | 'lastMinute'
const NOT_LOADED: Pick<VersionStatus, LoadedKey> = { devices: [], signatures: [], notes: [] }

/** Errors that speak of the files: trying the same files again gives the same. */
const VERDICTS = [BadSavedModelError, BadManifestError, GoldenMismatchError]

/** One version's life: loaded once, run many times, unloaded when nobody holds it any more. */
export class ServedVersion implements ModelVersion {
  readonly #identity: VersionIdentity
  readonly #dependencies: VersionDependencies
  readonly #admission: AdmissionControl
  readonly #recent = new RecentRuns()
  readonly #leaks: FinalizationRegistry<undefined>
  #state: VersionState = 'start'
  #since = Date.now()
  #error: Error | undefined
  #loaded: LoadedVersion | undefined
  #queue: RunQueue | undefined
  #loadedAt: number | undefined
  readonly #stateMs: Partial<Record<VersionState, number>> = {}
  #handles = 0
  /** Handles out and runs in TensorFlow: a run keeps its version even when its client has gone. */
  #uses = 0
  #unused: () => void = () => {}
  #drained: Promise<void> | undefined

  constructor (identity: VersionIdentity, dependencies: VersionDependencies) {
    this.#identity = identity
    this.#dependencies = dependencies
    const { maxWaiting, maxWaitMs, maxRows } = dependencies.limits
    this.#admission = new AdmissionControl(identity.model, { maxRequests: maxWaiting, minRequests: Math.min(maxWaiting, 2 * maxRows), maxWaitMs })
    this.#leaks = new FinalizationRegistry(() => { dependencies.onLeak(this.model, this.version) })
  }

  get id (): number { return this.#identity.id }
  get model (): string { return this.#identity.model }
  get version (): number { return this.#identity.found.version }
  get directory (): string { return this.#loaded?.directory ?? this.#identity.found.directory }
  get attempt (): number { return this.#identity.attempt }
  get state (): VersionState { return this.#state }
  get error (): Error | undefined { return this.#error }
  get manifest (): Manifest { return this.#inMemory().manifest }
  get signatures (): Readonly<Record<string, Signature>> { return this.#inMemory().signatures }
  get pixels (): Signature | undefined { return this.#inMemory().pixels }

  /** What was found when it was loaded; undefined if that is not over, or nothing was measured. */
  get measured (): MeasuredVersion | undefined {
    const { version } = this
    const { likeness, calibration } = this.#loaded ?? {}
    return likeness && calibration && { version, likeness, calibration }
  }

  /** As the version policy sees it. */
  view (): InstanceView {
    const { id, found, attempt } = this.#identity
    const hasFailed = this.#state === 'failed'
    return {
      id,
      version: found.version,
      fingerprint: found.fingerprint,
      state: this.#state,
      ...(hasFailed && { retryAt: this.#since + retryDelayMs(attempt), transient: !isVerdict(this.#error) })
    }
  }

  /** Loads, proves and warms the version. Never rejects: how it went is its state. */
  async load (signal: AbortSignal): Promise<void> {
    const { load, session, triesXla, prepare, limits: { maxRows, concurrency } } = this.#dependencies
    this.#enter('loading')
    try {
      const onWarming = (): void => { this.#enter('warming') }
      this.#loaded = await load(this.#identity.found.directory, { session, triesXla, calibrate: { maxRows, concurrency }, previous: this.#identity.previous?.(), signal, onWarming })
      this.#queue = this.#newQueue(this.#loaded)
      await prepare?.(this)
      signal.throwIfAborted()
      this.#loadedAt = Date.now()
      this.#enter('available')
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error))
      await this.#unload()
      this.#enter('failed')
    }
  }

  /** A handle on an available version. */
  acquire (): Handle {
    if (this.#state !== 'available') throw new Error(`Version ${this.version} of "${this.model}" is ${this.#state}. This is a bug.`)
    const leave = this.#use()
    const token = {}
    this.#handles += 1
    const handle: Handle = {
      version: this,
      release: once(() => {
        this.#leaks.unregister(token)
        this.#handles -= 1
        leave()
      })
    }
    this.#leaks.register(handle, undefined, token)
    return handle
  }

  isBatched (signature: string): boolean {
    return this.#inMemory().calibration.batching[signature]?.kind === 'batched'
  }

  admit (terms: AdmissionTerms = {}): Admission {
    const { receivedAt, arrive, leave } = this.#counted(() => this.#admission.enter(terms))
    const then = (action: () => void) => (): void => {
      action()
      this.#queue?.knock()
    }
    return { receivedAt, arrive, leave: then(leave) }
  }

  reserve (terms: AdmissionTerms = {}): Reservation {
    return this.#counted(() => this.#admission.reserve(terms))
  }

  /** Who is refused at the door is counted. */
  #counted<Result> (ask: () => Result): Result {
    try {
      return ask()
    } catch (error) {
      this.#recent.reject()
      this.#dependencies.onReject?.(this.model, error as Error)
      throw error
    }
  }

  async run (signatureName: string, inputs: Tensors, options: RunOptions = {}): Promise<RunResult> {
    const { admission, outputs, ...rest } = options
    this.#inMemory()
    const signature = this.#signature(signatureName)
    checkInputs(signature, inputs)
    if (outputs !== undefined) checkOutputs(signature, outputs)
    admission?.arrive()
    const leave = this.#use()
    try {
      return await this.#queue!.run({ signature: signatureName, inputs, outputs, exclusive: signature.changesState, receivedAt: admission?.receivedAt, ...rest })
    } catch (error) {
      throw runError(this.model, error)
    } finally {
      leave()
    }
  }

  /** Gives no new handles, waits for those out and for runs, then frees the memory. Idempotent; not for one that is loading. */
  async drain (): Promise<void> {
    this.#drained ??= this.#drain()
    await this.#drained
  }

  status (): VersionStatus {
    const { found } = this.#identity
    return {
      version: found.version,
      folder: found.folder,
      state: this.#state,
      since: this.#since,
      error: this.#error && statusError(this.#error),
      loadedAt: this.#loadedAt,
      loadMs: this.#stateMs.loading,
      warmUpMs: this.#stateMs.warming,
      handles: this.#handles,
      inFlight: this.#queue?.inFlight ?? 0,
      waiting: this.#queue?.waiting ?? 0,
      ...(this.#loaded === undefined ? NOT_LOADED : this.#loadedStatus(this.#loaded))
    }
  }

  #loadedStatus ({ devices, signatures, notes, calibration }: LoadedVersion): Pick<VersionStatus, LoadedKey> {
    return { devices, signatures: Object.keys(signatures), notes, calibration, admissionLimit: this.#admission.limit, lastMinute: this.#recent.figures() }
  }

  #newQueue (loaded: LoadedVersion): RunQueue {
    const { gate, limits: { maxWaiting, maxDelayMs }, onRun } = this.#dependencies
    const { batching, runsInFlight } = loaded.calibration
    return new RunQueue({
      model: this.model,
      concurrency: runsInFlight,
      maxWaiting,
      maxDelayMs,
      batching,
      gate,
      expected: () => this.#admission.expected,
      run: async (signature, inputs, outputs) => await this.#runLoaded(loaded, signature, inputs, outputs),
      isRowsFault: isInputFault,
      onRun: report => {
        this.#recent.add(report)
        onRun?.(this.model, report)
      }
    })
  }

  /** A run keeps its version even when its clients have gone. */
  async #runLoaded (loaded: LoadedVersion, signature: string, inputs: Stacked, outputs: readonly string[] | undefined): Promise<Tensors> {
    const leave = this.#use()
    try {
      return await loaded.run(signature, inputs, outputs)
    } finally {
      leave()
    }
  }

  async #drain (): Promise<void> {
    if (this.#loaded !== undefined) {
      this.#enter('draining')
      if (this.#uses > 0) await new Promise<void>(resolve => { this.#unused = resolve })
      await this.#unload()
    }
    this.#enter('ended')
  }

  #signature (name: string): Signature {
    const { signatures, pixels } = this.#inMemory()
    if (pixels?.name === name) return pixels
    const signature = Object.hasOwn(signatures, name) ? signatures[name] : undefined
    if (signature === undefined) throw new UnknownSignatureError(name, this.model, Object.keys(signatures).join(', ') || 'none')
    return signature
  }

  #inMemory (): LoadedVersion {
    if (this.#loaded === undefined) throw new Error(`Version ${this.version} of "${this.model}" is not in memory. This is a bug.`)
    return this.#loaded
  }

  #use (): () => void {
    this.#uses += 1
    return () => {
      this.#uses -= 1
      if (this.#uses === 0) this.#unused()
    }
  }

  async #unload (): Promise<void> {
    const loaded = this.#loaded
    this.#loaded = undefined
    this.#queue?.close()
    await loaded?.dispose()
  }

  #enter (state: VersionState): void {
    const previous = this.#state
    const now = Date.now()
    const previousMs = now - this.#since
    this.#stateMs[previous] = previousMs
    this.#state = state
    this.#since = now
    this.#dependencies.onState({ model: this.model, version: this.version, state, previous, previousMs, error: this.#error })
  }
}

/** Whether the files are at fault, not the moment: a machine that was out of memory may have some later. */
function isVerdict (error: Error | undefined): boolean {
  const { cause } = error ?? {}
  return VERDICTS.some(verdict => error instanceof verdict) && !(cause instanceof TensorFlowError && cause.code === 'RESOURCE_EXHAUSTED')
}

/** TensorFlow's messages go on with places in the graph after the first line. */
function statusError (error: Error): NonNullable<VersionStatus['error']> {
  const [message = ''] = error.message.split('\n')
  return { code: 'code' in error && typeof error.code === 'string' ? error.code : error.name, message }
}
