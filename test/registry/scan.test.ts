import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { fingerprintsOf, scanModels, type Fingerprints, type Scan } from '../../src/registry/scan.ts'

const NEVER_AT_REST = Infinity

async function folder (t: Test, files: Record<string, string>): Promise<string> {
  const root = t.testdir()
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return root
}

type ReadScan = Extract<Scan, { kind: 'read' }>

async function read (root: string, previous: Fingerprints = new Map(), restMs = NEVER_AT_REST): Promise<ReadScan> {
  const scan = await scanModels(root, { previous, now: Date.now(), restMs })
  if (scan.kind !== 'read') throw new Error(scan.reason)
  return scan
}

const numbers = (scan: ReadScan, name: string): number[] | undefined =>
  scan.models.find(model => model.name === name)?.versions.map(({ version }) => version)

t.test('finds models and their versions, lowest number first', async t => {
  const root = await folder(t, { 'b/10/saved_model.pb': '', 'b/2/saved_model.pb': '', 'a/00000123/saved_model.pb': '' })
  const scan = await read(root)
  t.strictSame(scan.models.map(({ name }) => name), ['a', 'b'])
  t.strictSame(numbers(scan, 'a'), [123])
  t.strictSame(numbers(scan, 'b'), [2, 10])
  t.strictSame(scan.models[0]?.versions[0]?.directory, join(root, 'a', '00000123'))
  t.strictSame(scan.warnings, [])
})

t.test('takes one of two directories that mean the same number and says why the other is refused', async t => {
  const root = await folder(t, { 'm/1/x': '', 'm/0001/x': '', 'm/01/x': '' })
  const [model] = (await read(root)).models
  t.strictSame(model?.versions.map(({ folder }) => folder), ['1'])
  t.strictSame(model?.refused, [
    { version: 1, folder: '01', reason: '01 and 1 are the same number: 1 is taken' },
    { version: 1, folder: '0001', reason: '0001 and 1 are the same number: 1 is taken' }
  ])
})

t.test('an empty models folder has no models', async t => {
  t.strictSame(await read(t.testdir({})), { kind: 'read', models: [], unreadable: [], warnings: [] })
})

t.test('a missing models folder is told, not thrown', async t => {
  const scan = await scanModels(join(t.testdir(), 'nowhere'), { previous: new Map(), now: 0, restMs: 0 })
  t.match(scan, { kind: 'unreadable', reason: /ENOENT/ })
})

t.test('plain files and what is being written aside are not models', async t => {
  const root = await folder(t, { 'README.md': '', '.staging/1/x': '', 'm.tmp/1/x': '', 'm/.2/x': '', 'm/3.tmp/x': '', 'm/1/x': '' })
  const scan = await read(root)
  t.strictSame(scan.models.map(({ name }) => name), ['m'])
  t.strictSame(numbers(scan, 'm'), [1])
  t.strictSame(scan.warnings, [])
})

t.test('warns of names that can not be served', async t => {
  const root = await folder(t, { 'my model/1/x': '', '-m/1/x': '', 'm/v1/x': '', 'm/99999999999999999999/x': '', 'n/saved_model.pb': '' })
  const { models, warnings } = await read(root)
  t.strictSame(models.map(({ name }) => name), ['m', 'n'])
  t.equal(warnings.length, 5)
  t.match(warnings.join('\n'), /"-m" is not served[^]*m\/v1 is not served[^]*n holds a SavedModel itself: move it into n\/1/)
})

t.test('a version is settled when two scans see the same files', async t => {
  const root = await folder(t, { 'm/1/saved_model.pb': 'one' })
  const first = await read(root)
  t.equal(first.models[0]?.versions[0]?.settled, false)
  const second = await read(root, fingerprintsOf(first.models))
  t.equal(second.models[0]?.versions[0]?.settled, true)
})

t.test('a version whose files grow, appear or change their time between two scans is not settled', async t => {
  const root = await folder(t, { 'm/1/saved_model.pb': 'one', 'm/1/variables/variables.data': 'a' })
  const changes: Array<() => Promise<unknown>> = [
    async () => await writeFile(join(root, 'm/1/variables/variables.data'), 'ab'),
    async () => await writeFile(join(root, 'm/1/variables/variables.index'), ''),
    async () => await utimes(join(root, 'm/1/saved_model.pb'), 1, 1),
    async () => await rm(join(root, 'm/1/variables/variables.index')),
    async () => await mkdir(join(root, 'm/1/assets'))
  ]
  for (const change of changes) {
    const before = await read(root)
    await change()
    const after = await read(root, fingerprintsOf(before.models))
    t.equal(after.models[0]?.versions[0]?.settled, false)
  }
})

t.test('files written aside inside a version do not unsettle it', async t => {
  const root = await folder(t, { 'm/1/saved_model.pb': 'one' })
  const before = await read(root)
  await writeFile(join(root, 'm/1/.model.json.swp'), '')
  await writeFile(join(root, 'm/1/model.json.tmp'), '')
  const after = await read(root, fingerprintsOf(before.models))
  t.equal(after.models[0]?.versions[0]?.settled, true)
})

t.test('a version that lay there long before is settled at first sight, a fresh one is not', async t => {
  const root = await folder(t, { 'm/1/saved_model.pb': 'one' })
  t.equal((await read(root, new Map(), 60_000)).models[0]?.versions[0]?.settled, false)
  const later = await scanModels(root, { previous: new Map(), now: Date.now() + 60_000, restMs: 2000 }) as ReadScan
  t.equal(later.models[0]?.versions[0]?.settled, true)
})

t.test('times that were copied along do not make a fresh copy look old', async t => {
  const root = await folder(t, { 'm/1/saved_model.pb': 'one' })
  await utimes(join(root, 'm/1/saved_model.pb'), 1, 1)
  await utimes(join(root, 'm/1'), 1, 1)
  t.equal((await read(root, new Map(), 60_000)).models[0]?.versions[0]?.settled, false)
})

t.test('a manifest beside the versions counts for those that have none of their own', async t => {
  const root = await folder(t, { 'm/1/x': '', 'm/2/model.json': '{}' })
  const before = await read(root)
  await writeFile(join(root, 'm/model.json'), '{}')
  const after = await read(root, fingerprintsOf(before.models))
  t.strictSame(after.models[0]?.versions.map(({ version, settled }) => [version, settled]), [[1, false], [2, true]])
})

t.test('follows links, as Kubernetes lays volumes out, and sees when they are swapped', async t => {
  const root = await folder(t, { 'm/..2024_a/saved_model.pb': 'a', 'm/..2024_b/saved_model.pb': 'b' })
  await symlink('..2024_a', join(root, 'm/..data'))
  await symlink('..data', join(root, 'm/1'))
  const before = await read(root)
  t.strictSame(numbers(before, 'm'), [1])
  await symlink('..2024_b', join(root, 'm/..data_tmp'))
  await rename(join(root, 'm/..data_tmp'), join(root, 'm/..data'))
  const after = await read(root, fingerprintsOf(before.models))
  t.not(after.models[0]?.versions[0]?.fingerprint, before.models[0]?.versions[0]?.fingerprint)
})

t.test('a link that leads back into its own directory does not trap the scan', async t => {
  const root = await folder(t, { 'm/1/saved_model.pb': '' })
  for (const name of ['a', 'b', 'c', 'd']) await symlink('.', join(root, 'm/1', name))
  t.strictSame(numbers(await read(root), 'm'), [1])
})

t.test('links to nowhere are no models and no versions', async t => {
  const root = await folder(t, { 'm/1/saved_model.pb': '' })
  await symlink('nowhere', join(root, 'm/2'))
  await symlink('nowhere', join(root, 'n'))
  const scan = await read(root)
  t.strictSame(scan.models.map(({ name }) => name), ['m'])
  t.strictSame(numbers(scan, 'm'), [1])
})
