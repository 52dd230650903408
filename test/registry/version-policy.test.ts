import t from 'tap'
import {
  choose, decide, formatVersionPolicy, parseVersionPolicies, retryDelayMs,
  type Action, type FoundView, type InstanceView, type VersionPolicy, type VersionState
} from '../../src/registry/version-policy.ts'

const latest: VersionPolicy = { kind: 'latest', count: 1 }

const onDisk = (version: number, fingerprint = 'a', settled = true): FoundView => ({ version, fingerprint, settled })
const instance = (id: number, version: number, state: VersionState, rest: Partial<InstanceView> = {}): InstanceView =>
  ({ id, version, state, fingerprint: 'a', ...rest })

function decided (found: FoundView[], instances: InstanceView[], policy: VersionPolicy = latest, now = 0): Action[] {
  return decide({ found, instances, policy, now })
}

t.test('loads the newest version when none is there', async t => {
  t.strictSame(decided([onDisk(1), onDisk(3), onDisk(2)], []), [{ kind: 'load', version: 3 }])
})

t.test('has nothing to do when the newest serves', async t => {
  t.strictSame(decided([onDisk(1), onDisk(2)], [instance(1, 2, 'available')]), [])
})

t.test('waits for a version that is still being copied', async t => {
  t.strictSame(decided([onDisk(1), onDisk(2, 'a', false)], [instance(1, 1, 'available')]), [])
  t.strictSame(decided([onDisk(1, 'a', false)], []), [])
})

t.test('keeps the old version until the new one is available, then unloads it', async t => {
  const found = [onDisk(1), onDisk(2)]
  t.strictSame(decided(found, [instance(1, 1, 'available')]), [{ kind: 'load', version: 2 }])
  for (const state of ['start', 'loading', 'warming'] as const) {
    t.strictSame(decided(found, [instance(1, 1, 'available'), instance(2, 2, state)]), [])
  }
  t.strictSame(decided(found, [instance(1, 1, 'available'), instance(2, 2, 'available')]), [{ kind: 'unload', id: 1 }])
})

t.test('keeps the old version serving when the new one failed', async t => {
  t.strictSame(decided([onDisk(1), onDisk(2)], [instance(1, 1, 'available'), instance(2, 2, 'failed')]), [])
})

t.test('falls back to the next lower version when the newest failed and none serves', async t => {
  t.strictSame(decided([onDisk(1), onDisk(2)], [instance(1, 2, 'failed')]), [{ kind: 'load', version: 1 }])
})

t.test('tries a failed version again when its files changed, but not before its delay has passed', async t => {
  const found = [onDisk(2, 'b')]
  const failed = [instance(1, 2, 'failed', { retryAt: 1000 })]
  t.strictSame(decided(found, failed, latest, 999), [])
  t.strictSame(decided(found, failed, latest, 1000), [{ kind: 'load', version: 2 }])
})

t.test('tries unchanged files again only when the failure was not their fault', async t => {
  const failed = (transient: boolean): InstanceView[] => [instance(1, 2, 'failed', { retryAt: 1000, transient })]
  t.strictSame(decided([onDisk(2)], failed(false), latest, 5000), [])
  t.strictSame(decided([onDisk(2)], failed(true), latest, 5000), [{ kind: 'load', version: 2 }])
})

t.test('forgets a failure when its directory is gone or a newer attempt runs', async t => {
  t.strictSame(decided([], [instance(1, 2, 'failed')]), [{ kind: 'forget', id: 1 }])
  t.strictSame(decided([onDisk(2)], [instance(1, 2, 'failed'), instance(2, 2, 'loading')]), [{ kind: 'forget', id: 1 }])
})

t.test('rolls back to the next lower version when the newest is deleted, without a gap', async t => {
  t.strictSame(decided([onDisk(1)], [instance(1, 2, 'available')]), [{ kind: 'load', version: 1 }])
  t.strictSame(decided([onDisk(1)], [instance(1, 2, 'available'), instance(2, 1, 'warming')]), [])
  t.strictSame(decided([onDisk(1)], [instance(1, 2, 'available'), instance(2, 1, 'available')]), [{ kind: 'unload', id: 1 }])
})

t.test('serves a deleted version on when what should follow it failed', async t => {
  t.strictSame(decided([onDisk(1)], [instance(1, 2, 'available'), instance(2, 1, 'failed')]), [])
})

t.test('unloads everything when the model’s last directory is gone', async t => {
  const instances = [instance(1, 1, 'available'), instance(2, 2, 'available')]
  t.strictSame(decided([], instances, { kind: 'all' }), [{ kind: 'unload', id: 1 }, { kind: 'unload', id: 2 }])
})

t.test('drops a queued load that is no longer wanted', async t => {
  t.strictSame(decided([onDisk(1), onDisk(2)], [instance(1, 1, 'start')]),
    [{ kind: 'load', version: 2 }, { kind: 'unload', id: 1 }])
  t.strictSame(decided([], [instance(1, 1, 'start')]), [{ kind: 'unload', id: 1 }])
})

t.test('queues a version anew when its files changed while it waited', async t => {
  t.strictSame(decided([onDisk(1, 'b')], [instance(1, 1, 'start')]), [{ kind: 'load', version: 1 }, { kind: 'unload', id: 1 }])
})

t.test('lets a load that has begun finish before its changed files are read again', async t => {
  t.strictSame(decided([onDisk(1, 'b')], [instance(1, 1, 'loading')]), [])
  t.strictSame(decided([onDisk(1, 'b')], [instance(1, 1, 'available')]), [{ kind: 'load', version: 1 }])
})

t.test('replaces a version whose files changed, new before old', async t => {
  const found = [onDisk(1, 'b')]
  const old = instance(1, 1, 'available')
  t.strictSame(decided(found, [old, instance(2, 1, 'loading', { fingerprint: 'b' })]), [])
  t.strictSame(decided(found, [old, instance(2, 1, 'available', { fingerprint: 'b' })]), [{ kind: 'unload', id: 1 }])
  t.strictSame(decided(found, [old, instance(2, 1, 'failed', { fingerprint: 'b' })]), [])
})

t.test('leaves a serving version alone while its files are in motion', async t => {
  t.strictSame(decided([onDisk(1, 'b', false)], [instance(1, 1, 'available')]), [])
})

t.test('keeps as many of the latest as the policy says', async t => {
  const two: VersionPolicy = { kind: 'latest', count: 2 }
  t.strictSame(decided([1, 2, 3].map(version => onDisk(version)), [], two), [{ kind: 'load', version: 3 }, { kind: 'load', version: 2 }])
  t.strictSame(decided([1, 2, 3].map(version => onDisk(version)), [instance(1, 1, 'available'), instance(2, 2, 'available'), instance(3, 3, 'loading')], two), [])
  t.strictSame(decided([1, 2, 3].map(version => onDisk(version)), [instance(1, 1, 'available'), instance(2, 2, 'available'), instance(3, 3, 'available')], two),
    [{ kind: 'unload', id: 1 }])
})

t.test('serves every version under `all`, and drops only what is deleted', async t => {
  const all: VersionPolicy = { kind: 'all' }
  t.strictSame(decided([onDisk(1), onDisk(2)], [], all), [{ kind: 'load', version: 2 }, { kind: 'load', version: 1 }])
  t.strictSame(decided([onDisk(2)], [instance(1, 1, 'available'), instance(2, 2, 'available')], all), [{ kind: 'unload', id: 1 }])
})

t.test('serves only what `specific` lists, and lets go when that is deleted', async t => {
  const specific: VersionPolicy = { kind: 'specific', versions: [2, 5] }
  t.strictSame(decided([1, 2, 3].map(version => onDisk(version)), [], specific), [{ kind: 'load', version: 2 }])
  t.strictSame(decided([onDisk(1)], [instance(1, 2, 'available')], specific), [{ kind: 'unload', id: 1 }])
})

t.test('does nothing about versions that drain', async t => {
  t.strictSame(decided([], [instance(1, 1, 'draining')]), [])
})

t.test('chooses highest first', async t => {
  t.strictSame(choose({ kind: 'all' }, [2, 10, 1]), [10, 2, 1])
})

t.test('doubles the delay between attempts, up to a minute', async t => {
  t.strictSame([1, 2, 3, 6, 7, 50].map(retryDelayMs), [1000, 2000, 4000, 32_000, 60_000, 60_000])
})

t.test('reads policies for all models and for single ones', async t => {
  const { fallback, models } = parseVersionPolicies('latest:2; digits=all;flowers = specific:3,0007,3')
  t.strictSame(fallback, { kind: 'latest', count: 2 })
  t.strictSame([...models], [['digits', { kind: 'all' }], ['flowers', { kind: 'specific', versions: [3, 7] }]])
})

t.test('serves the latest where nothing is said', async t => {
  t.strictSame(parseVersionPolicies('').fallback, latest)
})

t.test('refuses what is not a policy and names it', async t => {
  for (const text of ['newest', 'latest:0', 'latest', 'specific:', 'specific:1,', 'm=', 'm=latest:-1']) {
    t.throws(() => parseVersionPolicies(text), { code: 'CONFIG_INVALID', message: /VERSION_POLICY/ }, text)
  }
})

t.test('writes a policy as it is read', async t => {
  for (const text of ['latest:3', 'all', 'specific:1,2']) {
    t.equal(formatVersionPolicy(parseVersionPolicies(text).fallback), text)
  }
})

/** Random numbers from a seed, the same every time. @see https://en.wikipedia.org/wiki/Xorshift */
function randomFrom (seed: number): (below: number) => number {
  let state = seed
  return below => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

/** A model whose files and loads go as they please; the policy's actions are done at once. */
class Simulation {
  found: FoundView[] = []
  instances: InstanceView[] = []
  now = 0
  #ids = 0
  readonly #policy: VersionPolicy

  constructor (policy: VersionPolicy) {
    this.#policy = policy
  }

  get available (): number[] {
    return this.instances.filter(({ state }) => state === 'available').map(({ version }) => version).sort()
  }

  touchFiles (random: (below: number) => number): void {
    const version = 1 + random(4)
    const others = this.found.filter(found => found.version !== version)
    this.found = random(4) === 0 ? others : [...others, onDisk(version, `print-${random(3)}`, random(3) > 0)]
  }

  loadOn (isGood: boolean): void {
    const next = this.instances.find(({ state }) => state === 'start' || state === 'loading')
    if (next === undefined) return
    const changed = next.state === 'start' ? { state: 'loading' as const } : isGood ? { state: 'available' as const } : { state: 'failed' as const, retryAt: this.now + 1 }
    this.instances = this.instances.map(instance => instance === next ? { ...next, ...changed } : instance)
  }

  act (): Action[] {
    this.now += 1
    const actions = decided(this.found, this.instances, this.#policy, this.now)
    for (const action of actions) {
      if (action.kind === 'load') {
        const { fingerprint } = this.found.find(({ version }) => version === action.version)!
        this.instances = [...this.instances, instance(++this.#ids, action.version, 'start', { fingerprint })]
      } else {
        this.instances = this.instances.filter(({ id }) => id !== action.id)
      }
    }
    return actions
  }
}

t.test('whatever happens to files and loads, a model that serves goes on serving while there is a version to serve', async t => {
  const gaps: string[] = []
  for (let seed = 1; seed <= 100; seed++) {
    const random = randomFrom(seed)
    const simulation = new Simulation([{ kind: 'latest', count: 1 }, { kind: 'latest', count: 2 }, { kind: 'all' }][seed % 3] as VersionPolicy)
    for (let step = 0; step < 60; step++) {
      if (random(2) === 0) simulation.touchFiles(random)
      simulation.loadOn(random(3) > 0)
      const served = simulation.available.length > 0
      simulation.act()
      if (served && simulation.found.length > 0 && simulation.available.length === 0) gaps.push(`seed ${seed}, step ${step}`)
    }
  }
  t.strictSame(gaps, [])
})

t.test('once files are at rest and loads succeed, exactly what the policy names serves and nothing is left to do', async t => {
  const wrong: unknown[] = []
  for (let seed = 1; seed <= 100; seed++) {
    const random = randomFrom(seed)
    const policy = [{ kind: 'latest', count: 1 }, { kind: 'latest', count: 2 }, { kind: 'all' }, { kind: 'specific', versions: [2, 3] }][seed % 4] as VersionPolicy
    const simulation = new Simulation(policy)
    for (let step = 0; step < 40; step++) {
      simulation.touchFiles(random)
      simulation.loadOn(random(2) === 0)
      simulation.act()
    }
    simulation.found = simulation.found.map(found => ({ ...found, fingerprint: 'mended', settled: true }))
    for (let step = 0; step < 40; step++) {
      simulation.act()
      simulation.loadOn(true)
    }
    const wanted = choose(policy, simulation.found.map(({ version }) => version)).sort()
    const left = simulation.act()
    if (left.length > 0 || wanted.join() !== simulation.available.join()) wrong.push({ seed, left, wanted, available: simulation.available })
  }
  t.strictSame(wrong, [])
})
