import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { BadSavedModelError } from '../../src/errors.ts'
import { ModelRegistry, type RegistryLog } from '../../src/registry/model-registry.ts'
import type { VersionStateEvent } from '../../src/registry/model-version.ts'
import { parseVersionPolicies } from '../../src/registry/version-policy.ts'
import { fakeLoader } from '../support/fake-version.ts'
import { startRegistry, until, untilState, versionStatus } from '../support/registry.ts'

/** Version directories with one file each: enough for a loader that is a fake. */
async function versions (root: string, ...paths: string[]): Promise<void> {
  for (const path of paths) {
    const aside = join(root, `.aside-${path.replaceAll('/', '-')}`)
    await mkdir(aside, { recursive: true })
    await writeFile(join(aside, 'saved_model.pb'), path)
    await mkdir(join(root, path, '..'), { recursive: true })
    await rename(aside, join(root, path))
  }
}

const refuse = (directory: string): never => { throw new BadSavedModelError(directory, 'is broken') }

function recordingLog (): RegistryLog & { lines: string[] } {
  const lines: string[] = []
  const write = (_details: object, message: string): void => { lines.push(message) }
  return { lines, info: () => {}, warn: write, error: write }
}

const served = (registry: ModelRegistry, model: string): number[] =>
  registry.list().find(({ name }) => name === model)?.versions.filter(({ state }) => state === 'available').map(({ version }) => version) ?? []

t.test('before the first scan a model is not loaded rather than unknown', async t => {
  const registry = new ModelRegistry({ directory: t.testdir(), ...fakeLoader() })
  t.throws(() => registry.acquire('m'), { code: 'SERVE_MODEL_NOT_READY', statusCode: 503 })
  t.equal(registry.isReady(), false)
  await registry.close()
})

t.test('an empty folder has no model, is not ready, and serves what comes later', async t => {
  const directory = t.testdir()
  const registry = await startRegistry(t, { directory, ...fakeLoader() })
  t.throws(() => registry.acquire('m'), { code: 'SERVE_NO_MODEL', statusCode: 503 })
  t.strictSame([registry.list(), registry.offers()], [[], []])
  t.equal(registry.isReady(), false)
  await versions(directory, 'm/1')
  await until('m serves', () => registry.isReady())
  registry.acquire('m').release()
  t.equal(registry.find('m').version, 1)
  t.strictSame(registry.offers(), registry.list().map(({ name, task }) => ({ name, task })))
})

t.test('a missing folder is told once and looked for until it is there', async t => {
  const directory = join(t.testdir(), 'models')
  const log = recordingLog()
  const registry = await startRegistry(t, { directory, log, ...fakeLoader() })
  await sleep(200)
  t.equal(log.lines.length, 1)
  t.match(log.lines[0], /the models folder can not be read: ENOENT/)
  await versions(directory, 'm/1')
  await untilState(registry, 'm', 1, 'available')
})

t.test('a folder that goes away takes no served model with it', async t => {
  const directory = t.testdir()
  await versions(directory, 'models/m/1')
  const registry = await startRegistry(t, { directory: join(directory, 'models'), ...fakeLoader() })
  await untilState(registry, 'm', 1, 'available')
  await rename(join(directory, 'models'), join(directory, 'elsewhere'))
  await sleep(250)
  t.strictSame(served(registry, 'm'), [1])
})

t.test('says which models and versions there are when asked for others', async t => {
  const directory = t.testdir()
  await versions(directory, 'b/1', 'b/2', 'a/3')
  const registry = await startRegistry(t, { directory, policies: parseVersionPolicies('all'), ...fakeLoader() })
  await until('all serve', () => served(registry, 'b').length === 2 && served(registry, 'a').length === 1)
  t.throws(() => registry.acquire('c'), { code: 'SERVE_MODEL_NOT_FOUND', message: 'There is no model "c"; there are: a, b' })
  t.throws(() => registry.acquire('__proto__'), { code: 'SERVE_MODEL_NOT_FOUND' })
  t.throws(() => registry.describe('../a'), { code: 'SERVE_MODEL_NOT_FOUND' })
  t.throws(() => registry.acquire('b', 7), { code: 'SERVE_VERSION_NOT_FOUND', message: 'Version 7 of model "b" is not served; served are: 1, 2' })
})

t.test('gives the newest version unless one is named', async t => {
  const directory = t.testdir()
  await versions(directory, 'm/9', 'm/10')
  const registry = await startRegistry(t, { directory, policies: parseVersionPolicies('all'), ...fakeLoader() })
  await until('both serve', () => served(registry, 'm').length === 2)
  for (const [asked, given] of [[undefined, 10], [9, 9], [10, 10]] as const) {
    const handle = registry.acquire('m', asked)
    t.equal(handle.version.version, given)
    handle.release()
  }
})

t.test('each model follows its own policy', async t => {
  const directory = t.testdir()
  await versions(directory, ...['a', 'b', 'c'].flatMap(name => [`${name}/1`, `${name}/2`, `${name}/3`]))
  const registry = await startRegistry(t, { directory, policies: parseVersionPolicies('latest:1;b=all;c=specific:1,3'), ...fakeLoader() })
  await until('all are served', () => served(registry, 'c').length === 2 && served(registry, 'b').length === 3 && served(registry, 'a').length === 1)
  t.strictSame(registry.list().map(({ name, policy }) => [name, policy, served(registry, name)]), [
    ['a', 'latest:1', [3]], ['b', 'all', [3, 2, 1]], ['c', 'specific:1,3', [3, 1]]
  ])
})

t.test('a model with none of its policy’s versions is not loaded', async t => {
  const directory = t.testdir()
  await versions(directory, 'm/1', 'other/1')
  const registry = await startRegistry(t, { directory, policies: parseVersionPolicies('all;m=specific:2'), ...fakeLoader() })
  await until('ready', () => registry.isReady())
  t.throws(() => registry.acquire('m'), { code: 'SERVE_MODEL_NOT_READY', message: /has none of the versions of its policy specific:2/ })
})

t.test('a new version takes over, the old one drains and is gone', async t => {
  const directory = t.testdir()
  await versions(directory, 'm/1')
  const { load, loaded } = fakeLoader()
  const registry = await startRegistry(t, { directory, load })
  await untilState(registry, 'm', 1, 'available')
  const old = registry.acquire('m')
  await versions(directory, 'm/2')
  await untilState(registry, 'm', 2, 'available')
  const handle = registry.acquire('m')
  t.equal(handle.version.version, 2)
  handle.release()
  await untilState(registry, 'm', 1, 'draining')
  t.equal(loaded[0]?.isDisposed, false)
  old.release()
  await untilState(registry, 'm', 1, undefined)
  t.equal(loaded[0]?.isDisposed, true)
})

t.test('the old version serves while the new one loads', async t => {
  const directory = t.testdir()
  await versions(directory, 'm/1')
  let finish = (): void => {}
  const slow = new Promise<void>(resolve => { finish = resolve })
  const { load } = fakeLoader(async path => { if (path.endsWith('/2')) await slow })
  const registry = await startRegistry(t, { directory, load })
  await untilState(registry, 'm', 1, 'available')
  await versions(directory, 'm/2')
  await untilState(registry, 'm', 2, 'loading')
  t.strictSame(served(registry, 'm'), [1])
  t.throws(() => registry.acquire('m', 2), { code: 'SERVE_MODEL_NOT_READY', message: /is loading version 2/ })
  finish()
  await untilState(registry, 'm', 2, 'available')
})

t.test('a new version that fails keeps the old one serving and says why', async t => {
  const directory = t.testdir()
  await versions(directory, 'm/1')
  const log = recordingLog()
  const { load } = fakeLoader(async path => { if (path.endsWith('/2')) refuse(path) })
  const registry = await startRegistry(t, { directory, load, log })
  await untilState(registry, 'm', 1, 'available')
  await versions(directory, 'm/2')
  await untilState(registry, 'm', 2, 'failed')
  t.strictSame(served(registry, 'm'), [1])
  t.match(versionStatus(registry, 'm', 2)?.error, { code: 'MODEL_BAD_SAVED_MODEL', message: /m\/2: is broken/ })
  t.throws(() => registry.acquire('m', 2), { code: 'SERVE_VERSION_NOT_FOUND' })
  t.strictSame(log.lines, ['a version failed to load'])
})

t.test('a broken newest version at start gives way to the next lower', async t => {
  const directory = t.testdir()
  await versions(directory, 'm/1', 'm/2', 'm/3')
  const { load } = fakeLoader(async path => { if (!path.endsWith('/1')) refuse(path) })
  const registry = await startRegistry(t, { directory, load })
  await untilState(registry, 'm', 1, 'available')
  t.strictSame(registry.describe('m').versions.map(({ version, state }) => [version, state]), [[3, 'failed'], [2, 'failed'], [1, 'available']])
})

t.test('a model that can not load is told apart from one that loads', async t => {
  const directory = t.testdir()
  await versions(directory, 'bad/1', 'good/1')
  const { load } = fakeLoader(async path => { if (path.includes('bad')) refuse(path) })
  const registry = await startRegistry(t, { directory, load })
  await until('ready although one model failed', () => registry.isReady())
  t.throws(() => registry.acquire('bad'), { code: 'SERVE_MODEL_NOT_READY', message: /"bad" failed to load; see \/v1\/models\/bad/ })
})

t.test('a failed version is tried again when its files change', async t => {
  const directory = t.testdir()
  await versions(directory, 'm/1')
  const { load } = fakeLoader(async (path, attempt) => { if (attempt === 1) refuse(path) })
  const registry = await startRegistry(t, { directory, load })
  await untilState(registry, 'm', 1, 'failed')
  await sleep(1500)
  t.equal(versionStatus(registry, 'm', 1)?.state, 'failed')
  await writeFile(join(directory, 'm/1/saved_model.pb'), 'mended')
  await untilState(registry, 'm', 1, 'available')
  t.equal(registry.describe('m').versions.length, 1)
})

t.test('a version that failed for want of memory is tried again by itself', async t => {
  const directory = t.testdir()
  await versions(directory, 'm/1')
  const { load } = fakeLoader(async (_path, attempt) => { if (attempt === 1) throw new Error('EMFILE: too many open files') })
  const registry = await startRegistry(t, { directory, load })
  await untilState(registry, 'm', 1, 'failed')
  await untilState(registry, 'm', 1, 'available')
})

t.test('deleting the newest version rolls back without a gap', async t => {
  const directory = t.testdir()
  await versions(directory, 'm/1', 'm/2')
  const events: VersionStateEvent[] = []
  const registry = await startRegistry(t, { directory, onVersionState: event => { events.push(event) }, ...fakeLoader() })
  await untilState(registry, 'm', 2, 'available')
  await rm(join(directory, 'm/2'), { recursive: true })
  await untilState(registry, 'm', 1, 'available')
  await untilState(registry, 'm', 2, undefined)
  const order = events.map(({ version, state }) => `${version} ${state}`)
  // Files go one by one: what is left of them between may be loaded anew in the place of the whole version.
  t.ok(order.indexOf('1 available') < order.lastIndexOf('2 draining'), order.join(', '))
})

t.test('a model whose folder is deleted drains and is unknown', async t => {
  const directory = t.testdir()
  await versions(directory, 'm/1', 'other/1')
  const registry = await startRegistry(t, { directory, ...fakeLoader() })
  await until('both serve', () => served(registry, 'm').length === 1 && served(registry, 'other').length === 1)
  const handle = registry.acquire('m')
  await rm(join(directory, 'm'), { recursive: true })
  await untilState(registry, 'm', 1, 'draining')
  t.throws(() => registry.acquire('m'), { code: 'SERVE_MODEL_NOT_READY' })
  handle.release()
  await until('m is unknown', () => registry.list().length === 1)
  t.throws(() => registry.acquire('m'), { code: 'SERVE_MODEL_NOT_FOUND' })
})

t.test('files replaced in place are loaded anew, new before old', async t => {
  const directory = t.testdir()
  await versions(directory, 'm/1')
  const { load, loaded } = fakeLoader()
  const registry = await startRegistry(t, { directory, load })
  await untilState(registry, 'm', 1, 'available')
  const old = registry.acquire('m')
  await writeFile(join(directory, 'm/1/saved_model.pb'), 'replaced')
  await until('the new one is loaded', () => loaded.length === 2)
  await until('the old one drains', () => old.version.state === 'draining')
  const handle = registry.acquire('m', 1)
  t.equal(handle.version.state, 'available')
  handle.release()
  old.release()
  await until('the old one is freed', () => loaded[0]!.isDisposed)
  t.equal(registry.describe('m').versions.length, 1)
})

t.test('a link turned to other files is a replacement', async t => {
  const directory = t.testdir()
  await versions(directory, 'm/..a', 'm/..b')
  await symlink('..a', join(directory, 'm/..data'))
  await symlink('..data', join(directory, 'm/1'))
  const { load, loaded } = fakeLoader()
  const registry = await startRegistry(t, { directory, load })
  await untilState(registry, 'm', 1, 'available')
  await symlink('..b', join(directory, 'm/..data_tmp'))
  await rename(join(directory, 'm/..data_tmp'), join(directory, 'm/..data'))
  await until('it is loaded anew', () => loaded.length === 2)
})

t.test('a version that is being copied is not read before its files are at rest', async t => {
  const directory = t.testdir()
  const { load, loaded } = fakeLoader()
  const registry = await startRegistry(t, { directory, load, pollMs: 400 })
  await mkdir(join(directory, 'm/1'), { recursive: true })
  for (let part = 0; part < 60; part++) {
    await writeFile(join(directory, `m/1/part-${part}`), 'x'.repeat(part))
    await sleep(20)
  }
  t.equal(loaded.length, 0)
  t.throws(() => registry.acquire('m'), { code: 'SERVE_MODEL_NOT_READY', message: /is still being copied/ })
  await untilState(registry, 'm', 1, 'available')
  t.equal(loaded.length, 1)
})

t.test('two directories of the same number: one serves, the other is told', async t => {
  const directory = t.testdir()
  await versions(directory, 'm/1', 'm/001')
  const registry = await startRegistry(t, { directory, ...fakeLoader() })
  await until('m serves', () => served(registry, 'm').length === 1)
  t.match(registry.describe('m').versions, [
    { version: 1, folder: '1', state: 'available' },
    { version: 1, folder: '001', state: 'failed', error: { message: '001 and 1 are the same number: 1 is taken' } }
  ])
})

t.test('versions load one after the other', async t => {
  const directory = t.testdir()
  await versions(directory, 'a/1', 'b/1', 'c/1', 'd/1')
  let now = 0
  let most = 0
  const { load } = fakeLoader(async () => {
    most = Math.max(most, ++now)
    await sleep(5)
    now -= 1
  })
  const registry = await startRegistry(t, { directory, load })
  await until('all serve', () => registry.list().every(({ name }) => served(registry, name).length === 1))
  t.equal(most, 1)
})

t.test('closing waits for handles, drops what waits to load and gives no more', async t => {
  const directory = t.testdir()
  await versions(directory, 'a/1')
  const { load, loaded } = fakeLoader(async path => { if (path.includes('/b/')) await sleep(100) })
  const registry = await startRegistry(t, { directory, load })
  await untilState(registry, 'a', 1, 'available')
  await versions(directory, 'b/1', 'c/1')
  await untilState(registry, 'b', 1, 'loading')
  const handle = registry.acquire('a')
  let isClosed = false
  const closing = registry.close().then(() => { isClosed = true })
  t.throws(() => registry.acquire('a'), { code: 'SERVE_SHUTTING_DOWN', statusCode: 503 })
  t.equal(registry.isReady(), false)
  await sleep(200)
  t.equal(isClosed, false)
  handle.release()
  await closing
  t.ok(loaded.every(({ isDisposed }) => isDisposed))
  t.notOk(loaded.some(version => version.directory.includes('/c/')))
})

t.test('closing before anything was found, and twice, is fine', async t => {
  const registry = new ModelRegistry({ directory: t.testdir(), ...fakeLoader() })
  await registry.start()
  await registry.close()
  await registry.close()
})
