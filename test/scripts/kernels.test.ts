import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { kernels } from '../../scripts/setup/kernels.mjs'
import { ROOT, setUp, type Context } from '../../scripts/setup/set-up.mjs'
import { recordNotes } from '../support/silent-progress.ts'

/** @param path in place of PATH, given a folder that holds `refusing-compiler` */
function contextOf (t: Test, path: (bin: string) => string = () => process.env['PATH'] ?? '', env: Record<string, string> = {}): Context & { progress: ReturnType<typeof recordNotes>, cache: string } {
  const directory = t.testdir({ cache: {}, bin: { 'refusing-compiler': '#!/bin/sh\necho this is C++17 >&2\nexit 1\n' } })
  chmodSync(join(directory, 'bin', 'refusing-compiler'), 0o755)
  const cache = join(directory, 'cache')
  return { root: ROOT, platform: process.platform, arch: process.arch, progress: recordNotes(), cache, env: { ...process.env, XDG_CACHE_HOME: cache, PATH: path(join(directory, 'bin')), ...env } }
}

/** The kernels' folder in the cache. */
function folderOf (cache: string): string | undefined {
  const folder = readdirSync(join(cache, 'tensorport')).find(name => name.startsWith('kernels-'))
  return folder && join(cache, 'tensorport', folder)
}

/** What of the kernels is in the cache. */
function built (cache: string): string[] {
  const folder = folderOf(cache)
  return folder === undefined ? [] : readdirSync(folder)
}

t.test('they are built once, by whoever is first', async t => {
  const context = contextOf(t)
  if (context.progress.notes.length > 0 || kernels.isDone(context)) return t.plan(0, 'there is no C++ compiler')
  await Promise.all([setUp([kernels], context), setUp([kernels], { ...context, progress: recordNotes() })])
  t.strictSame(built(context.cache), ['libtensorport_kernels.so'])
  t.ok(kernels.isDone(context))
  t.equal(statSync(folderOf(context.cache)!).mode & 0o777, 0o755, 'for who serves may not be who set it up')
})

t.test('without a compiler the set-up says so and goes on', async t => {
  const context = contextOf(t, bin => bin)
  t.strictSame(await setUp([kernels], context), [])
  t.match(context.progress.notes.join(), /kernels: not built, there is no C\+\+ compiler. All works without; photos and LSTMs take longer./)
})

t.test('a compiler that refuses them is asked once, and what it said is kept', async t => {
  const context = contextOf(t, bin => `${bin}:${process.env['PATH']}`, { CXX: 'refusing-compiler' })
  t.strictSame(await setUp([kernels], context), ['kernels'])
  t.strictSame(built(context.cache), ['failed.txt'])
  t.match(context.progress.notes.join(), /this is C\+\+17/)
  t.strictSame(await setUp([kernels], context), [])
  t.match(context.progress.notes.at(-1), /the compiler refused them \(.*failed\.txt says why; remove it to try again\)/)
  t.match(readFileSync(join(folderOf(context.cache)!, 'failed.txt'), 'utf8'), 'this is C++17')
})
