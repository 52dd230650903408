import { ModelNotReadyError, VersionNotFoundError } from '../errors.ts'
import type { VersionStatus } from './model-version.ts'
import type { FoundModel, FoundVersion, RefusedVersion } from './scan.ts'
import { ServedVersion, type VersionDependencies } from './served-version.ts'
import { choose, decide, formatVersionPolicy, type Action, type VersionPolicy } from './version-policy.ts'

/** A model, as /v1/models tells of it. */
export interface ModelStatus {
  readonly name: string
  /** Of the version that serves when none is named. */
  readonly task?: string | undefined
  /** In the words of VERSION_POLICY. */
  readonly policy: string
  /** Highest number first. */
  readonly versions: readonly VersionStatus[]
}

export interface ModelDependencies extends VersionDependencies {
  /** Loads the version when its turn comes, then calls `done`. */
  readonly enqueue: (version: ServedVersion, done: () => void) => void
  /** A version could not be unloaded: its memory is lost. */
  readonly onUnloadFailed: (version: ServedVersion, error: unknown) => void
}

/** One model: its versions on disk and in memory, kept together as its policy says. */
export class ServedModel {
  readonly name: string
  readonly #policy: VersionPolicy
  readonly #dependencies: ModelDependencies
  #found: readonly FoundVersion[] = []
  #refused: readonly RefusedVersion[] = []
  #versions: ServedVersion[] = []
  #ids = 0
  #hasTried = false

  constructor (name: string, policy: VersionPolicy, dependencies: ModelDependencies) {
    this.name = name
    this.#policy = policy
    this.#dependencies = dependencies
  }

  /** Nothing of it is on disk or in memory. */
  get isGone (): boolean {
    return this.#found.length === 0 && this.#refused.length === 0 && this.#versions.length === 0
  }

  /** A first load went well or failed, or there is nothing to load. */
  get hasTried (): boolean {
    return this.#hasTried || choose(this.#policy, this.#found.map(({ version }) => version)).length === 0
  }

  /** Someone is still writing what there is of it. */
  get isInMotion (): boolean {
    return this.#versions.length === 0 && this.#found.every(({ settled }) => !settled)
  }

  get isAvailable (): boolean {
    return this.#newest() !== undefined
  }

  /** Takes over what a scan found and acts on it. @param found undefined if the model's folder is gone */
  update (found: FoundModel | undefined): void {
    this.#found = found?.versions ?? []
    this.#refused = found?.refused ?? []
    this.#reconcile()
  }

  /** Of the version that serves when none is named. */
  get task (): string | undefined {
    return this.#newest()?.manifest.task
  }

  /** The version itself, not held. @throws VersionNotFoundError, ModelNotReadyError */
  find (version?: number): ServedVersion {
    const found = this.#newest(version)
    if (found !== undefined) return found
    throw version === undefined ? this.#notReady() : this.#noVersion(version)
  }

  status (): ModelStatus {
    const refused = this.#refused.map(({ version, folder, reason }): VersionStatus => ({
      version, folder, state: 'failed', error: { code: 'MODEL_BAD_SAVED_MODEL', message: reason }, devices: [], signatures: [], notes: [], handles: 0, inFlight: 0, waiting: 0
    }))
    const versions = [...this.#versions.map(version => version.status()), ...refused].sort((a, b) => b.version - a.version)
    return { name: this.name, task: this.task, policy: formatVersionPolicy(this.#policy), versions }
  }

  /** Unloads every version; resolves when the last handle is released and all memory is free. */
  async close (): Promise<void> {
    const versions = this.#versions
    this.#found = []
    for (const version of versions) this.#unload(version)
    await Promise.allSettled(versions.map(async version => { await version.drain() }))
  }

  #newest (version?: number): ServedVersion | undefined {
    const available = this.#versions.filter(candidate => candidate.state === 'available' && (version === undefined || candidate.version === version))
    return available.reduce<ServedVersion | undefined>((best, candidate) => best === undefined || candidate.version >= best.version ? candidate : best, undefined)
  }

  #reconcile (): void {
    const views = this.#versions.map(version => version.view())
    for (const action of decide({ found: this.#found, instances: views, policy: this.#policy, now: Date.now() })) this.#act(action)
  }

  #act (action: Action): void {
    switch (action.kind) {
      case 'load':
        this.#load(this.#found.find(({ version }) => version === action.version)!)
        break
      case 'unload':
        this.#unload(this.#versions.find(({ id }) => id === action.id)!)
        break
      case 'forget':
        this.#versions = this.#versions.filter(({ id }) => id !== action.id)
    }
  }

  #load (found: FoundVersion): void {
    const failed = this.#versions.findLast(({ version, state }) => version === found.version && state === 'failed')
    const version = new ServedVersion({ model: this.name, found, id: ++this.#ids, attempt: (failed?.attempt ?? 0) + 1, previous: () => this.#newest()?.measured }, this.#dependencies)
    this.#versions.push(version)
    this.#dependencies.enqueue(version, () => {
      this.#hasTried = true
      this.#reconcile()
    })
  }

  /** Starts it; the version is listed as draining until its memory is free. */
  #unload (version: ServedVersion): void {
    version.drain().then(() => {
      this.#versions = this.#versions.filter(other => other !== version)
    }, (error: unknown) => { this.#dependencies.onUnloadFailed(version, error) })
  }

  #notReady (): Error {
    const states = this.#versions.map(({ state }) => state)
    if (states.some(state => state === 'start' || state === 'loading' || state === 'warming')) return new ModelNotReadyError(this.name, 'is being loaded')
    if (states.includes('failed')) return new ModelNotReadyError(this.name, `failed to load; see /v1/models/${this.name}`)
    if (this.#found.some(({ settled }) => !settled)) return new ModelNotReadyError(this.name, 'is still being copied')
    return new ModelNotReadyError(this.name, `has none of the versions of its policy ${formatVersionPolicy(this.#policy)}`)
  }

  #noVersion (version: number): Error {
    const isComing = this.#versions.some(candidate => candidate.version === version && ['start', 'loading', 'warming'].includes(candidate.state))
    if (isComing) return new ModelNotReadyError(this.name, `is loading version ${version}`)
    const served = this.#versions.filter(({ state }) => state === 'available').map(candidate => candidate.version).sort((a, b) => a - b)
    return new VersionNotFoundError(version, this.name, served.join(', ') || 'none')
  }
}
