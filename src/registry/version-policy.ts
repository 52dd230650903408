import { BadConfigError } from '../errors.ts'

/**
 * The life of a version: found (`start`, its turn to load has not come) → `loading` → `warming` → `available` → `draining` (no new
 * handles, those out are honoured) → `ended`; or `failed`, kept with its reason until its files change.
 */
export type VersionState = 'start' | 'loading' | 'warming' | 'available' | 'draining' | 'ended' | 'failed'

/** Which versions of a model serve. */
export type VersionPolicy =
  | { readonly kind: 'latest', readonly count: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'specific', readonly versions: readonly number[] }

export interface VersionPolicies {
  readonly fallback: VersionPolicy
  /** By model name; other models follow `fallback`. */
  readonly models: ReadonlyMap<string, VersionPolicy>
}

/** A version on disk, as the policy sees it. */
export interface FoundView {
  readonly version: number
  /** Changes with the files' names, sizes and times. */
  readonly fingerprint: string
  /** Nobody is writing it any more. */
  readonly settled: boolean
}

/** A version in memory, or one that failed to get there. The same version twice: its files changed, the higher id is the newer. */
export interface InstanceView {
  readonly id: number
  readonly version: number
  readonly fingerprint: string
  readonly state: VersionState
  /** Of a failed one: when it may be tried again, in the clock of `now`. */
  readonly retryAt?: number | undefined
  /** Of a failed one: the same files may work another time (out of memory, say). */
  readonly transient?: boolean | undefined
}

export type Action =
  | { readonly kind: 'load', readonly version: number }
  | { readonly kind: 'unload', readonly id: number }
  | { readonly kind: 'forget', readonly id: number }

/** What the policy decides upon. `now` and `retryAt` share one clock, in milliseconds. */
export interface Situation {
  readonly found: readonly FoundView[]
  readonly instances: readonly InstanceView[]
  readonly policy: VersionPolicy
  readonly now: number
}

const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 60_000

/** Milliseconds before attempt number `attempts + 1`: 1 s, doubled each time, a minute at most. */
export function retryDelayMs (attempts: number): number {
  return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempts - 1))
}

/**
 * What to do next so that the versions of one model that the policy wants serve. Loads before it unloads: a version that is no longer
 * wanted serves on until every wanted one is available. A version that failed is not wanted until it may be tried again, so the next
 * lower one takes its place. Pure and stateless: the same situation gives the same actions.
 *
 * @returns loads newest first
 */
export function decide (situation: Situation): Action[] {
  const { found, instances, policy } = situation
  const wanted = choose(policy, found.filter(version => isUsable(version, situation)).map(({ version }) => version))
  return [
    ...instances.filter(instance => isForgettable(instance, situation)).map(({ id }): Action => ({ kind: 'forget', id })),
    ...wanted.filter(version => needsLoad(version, situation)).map((version): Action => ({ kind: 'load', version })),
    ...instances.filter(instance => isUnloadable(instance, wanted, situation)).map(({ id }): Action => ({ kind: 'unload', id }))
  ]
}

/** The versions of `versions` that the policy names, highest first. */
export function choose (policy: VersionPolicy, versions: readonly number[]): number[] {
  const highestFirst = [...versions].sort((a, b) => b - a)
  switch (policy.kind) {
    case 'latest': return highestFirst.slice(0, policy.count)
    case 'all': return highestFirst
    case 'specific': return highestFirst.filter(version => isNamed(version, policy))
  }
}

/** Whether the policy could ever choose this version. */
function isNamed (version: number, policy: VersionPolicy): boolean {
  return policy.kind !== 'specific' || policy.versions.includes(version)
}

const isPending = ({ state }: InstanceView): boolean => state === 'start' || state === 'loading' || state === 'warming'

/** It serves, is on its way, or can be loaded now. */
function isUsable (found: FoundView, situation: Situation): boolean {
  return isServed(found.version, situation) || isComing(found, situation) || isLoadable(found, situation)
}

function isServed (version: number, { instances }: Situation): boolean {
  return instances.some(instance => instance.version === version && instance.state === 'available')
}

/** A load that has begun is waited for, even if the files changed since; one that waits for its turn only if they did not. */
function isComing (found: FoundView, { instances }: Situation): boolean {
  return instances.some(instance => instance.version === found.version && isPending(instance) &&
    (instance.state !== 'start' || instance.fingerprint === found.fingerprint))
}

function isLoadable (found: FoundView, { instances, now }: Situation): boolean {
  const failed = instances.findLast(({ version, state }) => version === found.version && state === 'failed')
  if (!found.settled) return false
  if (failed === undefined) return true
  const changed = failed.fingerprint !== found.fingerprint
  return (changed || failed.transient === true) && now >= (failed.retryAt ?? 0)
}

function needsLoad (version: number, situation: Situation): boolean {
  const found = situation.found.find(candidate => candidate.version === version) as FoundView
  const isUpToDate = situation.instances.some(instance => instance.version === version &&
    instance.state === 'available' && instance.fingerprint === found.fingerprint)
  return !isUpToDate && !isComing(found, situation) && isLoadable(found, situation)
}

/** A failure is told for as long as its files are there and no newer attempt was made. */
function isForgettable ({ id, version, state }: InstanceView, { found, instances }: Situation): boolean {
  if (state !== 'failed') return false
  const isGone = !found.some(candidate => candidate.version === version)
  return isGone || instances.some(other => other.version === version && other.id > id)
}

function isUnloadable (instance: InstanceView, wanted: readonly number[], situation: Situation): boolean {
  if (instance.state === 'start') return !isStillWanted(instance, wanted, situation)
  if (instance.state !== 'available') return false
  const isReplaced = situation.instances.some(({ id, version, state }) =>
    version === instance.version && state === 'available' && id > instance.id)
  if (isReplaced) return true
  if (wanted.includes(instance.version)) return false
  if (!situation.found.some(({ version }) => isNamed(version, situation.policy))) return true
  return wanted.length > 0 && wanted.every(version => isServed(version, situation))
}

function isStillWanted ({ version, fingerprint }: InstanceView, wanted: readonly number[], { found }: Situation): boolean {
  return wanted.includes(version) && found.some(candidate => candidate.version === version && candidate.fingerprint === fingerprint)
}

/**
 * Reads VERSION_POLICY: `latest:<n>`, `all` or `specific:<n>,<n>`; `<name>=<policy>` for one model; several apart by `;`.
 *
 * @throws BadConfigError naming the part that can not be read
 */
export function parseVersionPolicies (text: string): VersionPolicies {
  const models = new Map<string, VersionPolicy>()
  let fallback: VersionPolicy = { kind: 'latest', count: 1 }
  for (const part of text.split(';').map(piece => piece.trim()).filter(piece => piece !== '')) {
    const at = part.indexOf('=')
    if (at === -1) fallback = parsePolicy(part)
    else models.set(part.slice(0, at).trim(), parsePolicy(part.slice(at + 1).trim()))
  }
  return { fallback, models }
}

function parsePolicy (text: string): VersionPolicy {
  if (text === 'all') return { kind: 'all' }
  const latest = /^latest:([1-9]\d{0,5})$/.exec(text)
  if (latest !== null) return { kind: 'latest', count: Number(latest[1]) }
  const specific = /^specific:(\d{1,15}(?:,\d{1,15})*)$/.exec(text)
  if (specific !== null) return { kind: 'specific', versions: [...new Set((specific[1] as string).split(',').map(Number))] }
  throw new BadConfigError(`env/VERSION_POLICY: "${text}" is not a policy; write latest:<n>, all or specific:<n>,<n>`)
}

/** A policy in the words of VERSION_POLICY. */
export function formatVersionPolicy (policy: VersionPolicy): string {
  switch (policy.kind) {
    case 'latest': return `latest:${policy.count}`
    case 'all': return 'all'
    case 'specific': return `specific:${policy.versions.join(',')}`
  }
}
