import { FairGate } from '../batching/fair-gate.ts'
import { placesFor } from '../batching/places.ts'
import type { RunReport } from '../batching/run-request.ts'
import { ModelNotFoundError, ModelNotReadyError, NoModelError, ShuttingDownError } from '../errors.ts'
import type { SessionOptions } from '../tensorflow/index.ts'
import { LoadQueue } from './load-queue.ts'
import { loadVersion, type LoadVersion } from './load-version.ts'
import type { Handle, ModelVersion, VersionStateEvent } from './model-version.ts'
import { fingerprintsOf, scanModels, type Fingerprints, type FoundModel, type Scan } from './scan.ts'
import { ServedModel, type ModelDependencies, type ModelStatus } from './served-model.ts'
import type { ServedVersion } from './served-version.ts'
import type { VersionPolicies } from './version-policy.ts'

/** As pino's. */
export interface RegistryLog {
  info (details: object, message: string): void
  warn (details: object, message: string): void
  error (details: object, message: string): void
}

export interface RegistryOptions {
  /** Folder of `<name>/<version>/`. */
  readonly directory: string
  /** Milliseconds between two scans; default 1000. */
  readonly pollMs?: number
  /** Default: the latest version of each model. */
  readonly policies?: VersionPolicies
  /** Runs in TensorFlow at once for each version; 0, the default: as many as measure best when it is loaded. */
  readonly runConcurrency?: number
  /** Requests that may wait for each version; default 256. */
  readonly maxQueue?: number
  /** Milliseconds that a request may have to wait, by the rate at which others are answered; default 2000. */
  readonly maxQueueMs?: number
  /** Rows of the largest run; default 64. */
  readonly maxBatchRows?: number
  /** Longest time, in milliseconds, that a row waits for rows that are known to come; default 20. */
  readonly maxBatchDelayMs?: number
  readonly session?: SessionOptions
  /** On a GPU a version is measured with XLA too; default false. */
  readonly triesXla?: boolean
  /** Runs before a version serves, while it warms; if it throws, the version has failed. */
  readonly prepare?: (version: ModelVersion) => Promise<void>
  /** Called at every change of a version's state. */
  readonly onVersionState?: (event: VersionStateEvent) => void
  readonly log?: RegistryLog
  /** How a version is brought into memory; tests force faults here. */
  readonly load?: LoadVersion
}

/** Is told of runs, for metrics. */
export interface RunWatch {
  readonly onRun?: (model: string, report: RunReport) => void
  readonly onReject?: (model: string, error: Error) => void
}

const SETTLING_PATIENCE_MS = 30_000
const LATEST_OF_ALL: VersionPolicies = { fallback: { kind: 'latest', count: 1 }, models: new Map() }

/** Every model of a folder: found, loaded, served and replaced while requests run. */
export class ModelRegistry {
  readonly #options: RegistryOptions
  readonly #pollMs: number
  readonly #models = new Map<string, ServedModel>()
  readonly #loads = new LoadQueue()
  readonly #dependencies: ModelDependencies
  #watch: RunWatch = {}
  #fingerprints: Fingerprints = new Map()
  #complaints = new Set<string>()
  /** Models that the first scan found and whose first load is not over. */
  #awaited: Set<string> | undefined
  #awaitedSince = 0
  #scanning: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor (options: RegistryOptions) {
    this.#options = options
    this.#pollMs = options.pollMs ?? 1000
    this.#dependencies = {
      load: options.load ?? loadVersion,
      session: options.session,
      triesXla: options.triesXla ?? false,
      limits: {
        concurrency: options.runConcurrency || undefined,
        maxWaiting: options.maxQueue ?? 256,
        maxRows: options.maxBatchRows ?? 64,
        maxDelayMs: options.maxBatchDelayMs ?? 20,
        maxWaitMs: options.maxQueueMs ?? 2000
      },
      gate: new FairGate(options.runConcurrency || placesFor()),
      onRun: (model, report) => { this.#watch.onRun?.(model, report) },
      onReject: (model, error) => { this.#watch.onReject?.(model, error) },
      prepare: options.prepare,
      onState: event => { this.#tell(event) },
      onLeak: (model, version) => { this.#options.log?.warn({ model, version }, 'a handle was lost without having been released. This is a bug.') },
      enqueue: (version, done) => { this.#loads.add(version, done) },
      onUnloadFailed: ({ model, version }, error) => { this.#options.log?.error({ model, version, err: error }, 'a version could not be unloaded') }
    }
  }

  /** Scans the folder once and goes on scanning; what was found loads in the background. */
  async start (): Promise<void> {
    await this.#scan()
    this.#plan()
  }

  /**
   * A handle on a model's version, the newest available one if none is named. Release it when done.
   *
   * @throws ModelNotFoundError, VersionNotFoundError if there is none
   * @throws NoModelError, ModelNotReadyError if it may come
   * @throws ShuttingDownError once `close` was called
   */
  acquire (model: string, version?: number): Handle {
    return this.find(model, version).acquire()
  }

  /** The version that `acquire` would give, not held: for what is done at once. @throws as `acquire` */
  find (model: string, version?: number): ServedVersion {
    if (this.#isClosed) throw new ShuttingDownError()
    return this.#model(model).find(version)
  }

  /** One watch at a time. */
  watch (watch: RunWatch): void {
    this.#watch = watch
  }

  /** Every model's name and task, in no order. */
  offers (): { name: string, task: string | undefined }[] {
    return Array.from(this.#models.values(), ({ name, task }) => ({ name, task }))
  }

  /** Every model and what there is to say of it, by name. */
  list (): ModelStatus[] {
    return [...this.#models.values()].map(model => model.status()).sort((a, b) => a.name < b.name ? -1 : 1)
  }

  /** @throws ModelNotFoundError, NoModelError, ModelNotReadyError as `acquire` */
  describe (model: string): ModelStatus {
    return this.#model(model).status()
  }

  /** Every model of the first scan was tried, and at least one serves. One that is still being written is not waited for over 30 s. */
  isReady (): boolean {
    if (this.#isClosed || this.#awaited === undefined) return false
    const isPatient = Date.now() - this.#awaitedSince < SETTLING_PATIENCE_MS
    for (const name of this.#awaited) {
      const model = this.#models.get(name)
      if (model === undefined || model.hasTried || (model.isInMotion && !isPatient)) this.#awaited.delete(name)
    }
    return this.#awaited.size === 0 && [...this.#models.values()].some(model => model.isAvailable)
  }

  /** Gives no more handles, waits for those out, unloads everything. Idempotent. */
  async close (): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#scanning
    await this.#loads.stop()
    await Promise.all([...this.#models.values()].map(async model => { await model.close() }))
    this.#models.clear()
  }

  #model (name: string): ServedModel {
    const model = this.#models.get(name)
    if (model !== undefined) return model
    if (this.#awaited === undefined) throw new ModelNotReadyError(name, 'and the models folder has not been read yet')
    if (this.#models.size === 0) throw new NoModelError('the models folder has none')
    throw new ModelNotFoundError(name, [...this.#models.keys()].sort().join(', '))
  }

  #plan (): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#scanning = this.#scan().catch((error: unknown) => {
        this.#options.log?.error({ err: error }, 'a scan of the models folder failed')
      }).then(() => { this.#plan() })
    }, this.#pollMs)
    this.#timer.unref()
  }

  async #scan (): Promise<void> {
    const now = Date.now()
    const scan = await scanModels(this.#options.directory, { previous: this.#fingerprints, now, restMs: 2 * this.#pollMs })
    if (this.#isClosed) return
    this.#complain(scan.kind === 'read' ? scan.warnings : [`the models folder can not be read: ${scan.reason}`])
    if (scan.kind === 'read') this.#update(scan)
    if (this.#awaited !== undefined) return
    this.#awaited = new Set(this.#models.keys())
    this.#awaitedSince = now
  }

  #update ({ models, unreadable }: Extract<Scan, { kind: 'read' }>): void {
    this.#fingerprints = fingerprintsOf(models)
    const found = new Map<string, FoundModel>(models.map(model => [model.name, model]))
    for (const name of found.keys()) if (!this.#models.has(name)) this.#models.set(name, this.#newModel(name))
    for (const [name, model] of this.#models) {
      if (unreadable.includes(name)) continue
      model.update(found.get(name))
      if (model.isGone) this.#models.delete(name)
    }
  }

  #newModel (name: string): ServedModel {
    const { fallback, models } = this.#options.policies ?? LATEST_OF_ALL
    return new ServedModel(name, models.get(name) ?? fallback, this.#dependencies)
  }

  /** Logs what is wrong with the folder once for as long as it stays wrong. */
  #complain (complaints: readonly string[]): void {
    for (const complaint of complaints) {
      if (!this.#complaints.has(complaint)) this.#options.log?.warn({ directory: this.#options.directory }, complaint)
    }
    this.#complaints = new Set(complaints)
  }

  #tell (event: VersionStateEvent): void {
    const { error, previousMs, ...rest } = event
    if (event.state === 'failed') this.#options.log?.error({ ...rest, err: error }, 'a version failed to load')
    else this.#options.log?.info({ ...rest, previousMs }, `version ${event.state}`)
    this.#options.onVersionState?.(event)
  }
}
