import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { existingVersions, exportVersion, type VersionManifest } from '../../src/training/export.ts'

const manifest: VersionManifest = { task: 'tensor' }

async function write (directory: string): Promise<VersionManifest> {
  await mkdir(join(directory, 'variables'))
  await writeFile(join(directory, 'saved_model.pb'), 'graph')
  await writeFile(join(directory, 'variables', 'variables.index'), 'index')
  return manifest
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

t.test('the first version is 1, the next one more than the highest there', async t => {
  const models = t.testdir({ old: { '0007': {}, 5: {}, notes: {} } })
  t.strictSame(await exportVersion(models, 'new', write), { version: 1, directory: join(models, 'new', '1') })
  t.strictSame(await exportVersion(models, 'new', write), { version: 2, directory: join(models, 'new', '2') })
  t.equal((await exportVersion(models, 'old', write)).version, 8)
  t.strictSame((await existingVersions(models, 'old')).map(({ version }) => version), [5, 7, 8])
  t.strictSame(await existingVersions(models, 'none'), [])
})

t.test('the manifest names every other file with its SHA-256', async t => {
  const models = t.testdir()
  const { directory } = await exportVersion(models, 'm', write)
  t.strictSame(JSON.parse(await readFile(join(directory, 'model.json'), 'utf8')), {
    format: 1,
    task: 'tensor',
    files: { 'saved_model.pb': sha256('graph'), 'variables/variables.index': sha256('index') }
  })
})

t.test('everybody may look into a version as into any new directory', async t => {
  const models = t.testdir({ beside: {} })
  const { directory } = await exportVersion(models, 'm', write)
  t.equal((await stat(directory)).mode, (await stat(join(models, 'beside'))).mode)
})

t.test('nothing is left of a version whose writing fails', async t => {
  const models = t.testdir()
  const failing = async (directory: string): Promise<VersionManifest> => {
    await write(directory)
    throw new Error('disk full')
  }
  await t.rejects(exportVersion(models, 'm', failing), { message: 'disk full' })
  t.strictSame(await readdir(join(models, 'm')), [])
})

t.test('nothing is left of a version whose manifest breaks the schema', async t => {
  const models = t.testdir()
  const broken = async () => ({ task: 'tensor', labels: [1] }) as unknown as VersionManifest
  await t.rejects(exportVersion(models, 'm', broken), { code: 'MODEL_BAD_MANIFEST' })
  t.strictSame(await readdir(join(models, 'm')), [])
})

t.test('a version that is there already is never changed', async t => {
  const models = t.testdir({ m: { '01': { kept: 'kept' } } })
  await t.rejects(exportVersion(models, 'm', write, { version: 1 }), { code: 'TRAIN_BAD_OPTION', message: /versions never change/ })
  t.strictSame(await readdir(join(models, 'm')), ['01'])
})

t.test('two exports at once give two versions', async t => {
  const models = t.testdir()
  const both = await Promise.all([exportVersion(models, 'm', write), exportVersion(models, 'm', write)])
  t.strictSame(both.map(({ version }) => version).sort(), [1, 2])
})

t.test('of two exports of the same number at once, one is refused', async t => {
  const models = t.testdir()
  const both = await Promise.allSettled([1, 1].map(version => exportVersion(models, 'm', write, { version })))
  t.strictSame(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  t.strictSame(await readdir(join(models, 'm')), ['1'])
})

t.test('what a killed export left is removed after an hour, not before', async t => {
  const models = t.testdir({ m: { '.tmp-old': { file: '' }, '.tmp-new': { file: '' } } })
  const long = new Date(Date.now() - 2 * 3_600_000)
  await utimes(join(models, 'm', '.tmp-old'), long, long)
  await exportVersion(models, 'm', write)
  t.strictSame((await readdir(join(models, 'm'))).sort(), ['.tmp-new', '1'])
})

const names = ['', '../m', '.m', 'a/b', 'a\0b', 'ü', 'x'.repeat(129)]
for (const name of names) {
  t.test(`refuses the name ${JSON.stringify(name.slice(0, 20))}`, async t => {
    await t.rejects(exportVersion(t.testdir(), name, write), { code: 'TRAIN_BAD_OPTION' })
  })
}

for (const version of [0, -1, 1.5, NaN]) {
  t.test(`refuses version ${version}`, async t => {
    await t.rejects(exportVersion(t.testdir(), 'm', write, { version }), { code: 'TRAIN_BAD_OPTION' })
  })
}
