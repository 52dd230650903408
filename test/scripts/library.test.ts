import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { library, libraryFolders } from '../../scripts/setup/library.mjs'
import { cacheDirectory, chooseVariant } from '../../scripts/setup/platform.mjs'
import { libraryBundle, TENSORFLOW_VERSION } from '../../scripts/setup/wheels.mjs'
import { cacheDirectory as cacheOfTheServer, libraryCandidates, TENSORFLOW_VERSION as VERSION_OF_THE_SERVER } from '../../src/tensorflow/locate.ts'
import { recordNotes } from '../support/silent-progress.ts'

/** A folder with an `nvidia-smi` that ends with a code. */
function nvidiaSmi (directory: string, code: number): string {
  const path = join(directory, 'nvidia-smi')
  writeFileSync(path, `#!/bin/sh\nexit ${code}\n`)
  chmodSync(path, 0o755)
  return directory
}

/** An install as the set-up leaves it, its files empty. */
function pretendInstalled (cache: string, variant: string): void {
  const bundle = libraryBundle(variant, 'linux', 'x64')!
  const directory = join(cache, 'tensorport', bundle.name)
  for (const path of ['lib/libtensorflow_cc.so.2', 'include/tensorflow/c/c_api.h']) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), '')
  }
  writeFileSync(join(directory, 'complete.json'), JSON.stringify({ wheels: bundle.wheels, files: { 'lib/libtensorflow_cc.so.2': 0 } }))
}

const machine = { root: '/nowhere', platform: 'linux', arch: 'x64' }

t.test('the GPU build is for machines whose nvidia-smi finds a GPU', async t => {
  t.equal(chooseVariant({ PATH: nvidiaSmi(t.testdir(), 0) }), 'gpu')
  t.equal(chooseVariant({ PATH: nvidiaSmi(t.testdir(), 9) }), 'cpu', 'a driver without a device')
  t.equal(chooseVariant({ PATH: t.testdir() }), 'cpu', 'no driver')
})

t.test('TENSORFLOW_VARIANT has the last word', async t => {
  const path = nvidiaSmi(t.testdir(), 0)
  t.equal(chooseVariant({ PATH: path, TENSORFLOW_VARIANT: 'cpu' }), 'cpu')
  t.equal(chooseVariant({ PATH: '', TENSORFLOW_VARIANT: 'gpu' }), 'gpu')
  t.throws(() => chooseVariant({ TENSORFLOW_VARIANT: 'tpu' }), { name: 'SetupError', message: /"tpu"; it can be cpu or gpu/ })
})

t.test('LIBTENSORFLOW is taken as it is, and said so', async t => {
  const path = join(t.testdir({ 'libtensorflow_cc.so.2': '' }), 'libtensorflow_cc.so.2')
  const progress = recordNotes()
  t.ok(library.isDone({ ...machine, env: { LIBTENSORFLOW: path }, progress }))
  t.strictSame(progress.notes, [`libtensorflow: LIBTENSORFLOW is set to ${path}; none is fetched`])
  t.throws(() => library.isDone({ ...machine, env: { LIBTENSORFLOW: '/not/there.so' }, progress }), { name: 'SetupError', message: /LIBTENSORFLOW is \/not\/there\.so, which is not there/ })
})

t.test('is done where the wanted build is whole', async t => {
  const cache = t.testdir({ bin: {} })
  const progress = recordNotes()
  const isDone = (env: Record<string, string>): boolean => library.isDone({ ...machine, env: { XDG_CACHE_HOME: cache, ...env }, progress })
  t.notOk(isDone({}))
  pretendInstalled(cache, 'cpu')
  t.ok(isDone({}))
  t.notOk(isDone({ PATH: nvidiaSmi(join(cache, 'bin'), 0) }), 'a GPU came')
  t.notOk(isDone({ TENSORFLOW_VARIANT: 'gpu' }))
  pretendInstalled(cache, 'gpu')
  t.ok(isDone({}), 'the GPU build runs on a CPU too')
  t.strictSame(libraryFolders({ ...machine, env: { XDG_CACHE_HOME: cache }, progress })?.libraries, join(cache, 'tensorport', 'tensorflow-2.21.0-gpu-linux-x64', 'lib'))
  t.ok(isDone({ TENSORFLOW_VARIANT: 'cpu' }))
})

t.test('a GPU counts only where there is a GPU build', async t => {
  const cache = t.testdir({ bin: {} })
  const env = { XDG_CACHE_HOME: cache, PATH: nvidiaSmi(join(cache, 'bin'), 0) }
  const step = { phase: () => {}, amount: () => {}, done: () => {}, failed: () => {} }
  const progress = recordNotes()
  await t.rejects(library.run({ ...machine, arch: 'ia32', env, progress }, step), { name: 'SetupError', message: /There is no cpu build of TensorFlow .* for linux-ia32/ })
  await t.rejects(library.run({ ...machine, arch: 'arm64', env: { ...env, TENSORFLOW_VARIANT: 'gpu' }, progress }, step), { name: 'SetupError', message: /There is no gpu build/ })
})

t.test('the server looks for the library where the set-up puts it', async t => {
  const env = { XDG_CACHE_HOME: t.testdir() }
  t.equal(TENSORFLOW_VERSION, VERSION_OF_THE_SERVER)
  t.equal(cacheDirectory(env), cacheOfTheServer(env))
  t.equal(cacheDirectory({ HOME: '/home/me' }), cacheOfTheServer({ HOME: '/home/me' }))
  const paths = libraryCandidates(env).map(({ path }) => path)
  for (const variant of ['cpu', 'gpu']) {
    const name = `tensorflow-${TENSORFLOW_VERSION}-${variant}-${process.platform}-${process.arch}`
    t.ok(paths.some(path => dirname(path) === join(cacheDirectory(env), name, 'lib')), name)
    t.equal(libraryBundle(variant, 'linux', 'x64')?.name, `tensorflow-${TENSORFLOW_VERSION}-${variant}-linux-x64`)
  }
})

t.test('the CUDA libraries are pinned as the GPU wheel’s own extra wants them', async t => {
  const recorded = readFileSync(new URL('fixtures/and-cuda.txt', import.meta.url), 'utf8').trim().split('\n')
  const pinned = new Map(libraryBundle('gpu', 'linux', 'x64')!.wheels.slice(1).map(({ name, version }) => [name, version]))
  t.equal(pinned.size, recorded.length)
  for (const line of recorded) {
    const [, name = '', below = '', least = ''] = /^(\S+?)<([\d.]+),>=([\d.]+)$/.exec(line) ?? []
    const version = pinned.get(name) ?? ''
    t.ok(compare(version, least) >= 0 && compare(version, below) < 0, `${name} ${version} is in ${line}`)
  }
})

/** Versions of numbers and dots. */
function compare (a: string, b: string): number {
  const [left, right] = [a, b].map(version => version.split('.').map(Number))
  for (let at = 0; at < Math.max(left!.length, right!.length); at++) {
    const difference = (left![at] ?? 0) - (right![at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

t.test('every pin is a SHA-256 of its own', async t => {
  const pins = ['cpu-linux-x64', 'cpu-linux-arm64', 'cpu-darwin-arm64', 'gpu-linux-x64'].flatMap(key => {
    const [variant = '', platform = '', arch = ''] = key.split('-')
    return libraryBundle(variant, platform, arch)?.wheels ?? []
  }).map(({ sha256 }) => sha256)
  t.equal(pins.length, 16)
  t.equal(new Set(pins).size, pins.length)
  t.ok(pins.every(pin => /^[0-9a-f]{64}$/.test(pin)))
})
