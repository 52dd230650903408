import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { dist } from '../../scripts/setup/dist.mjs'
import { recordNotes, recordPhases } from '../support/silent-progress.ts'

const COMPILER = fileURLToPath(new URL('../../node_modules/typescript', import.meta.url))

/** A tiny clone with the real compiler. */
function clone (t: Test): string {
  const root = t.testdir({
    'tsconfig.json': '{}',
    'tsconfig.build.json': JSON.stringify({
      compilerOptions: { rootDir: 'src', outDir: 'dist', target: 'es2023', module: 'nodenext', types: [], sourceMap: true, rewriteRelativeImportExtensions: true, skipLibCheck: true, incremental: true, tsBuildInfoFile: 'dist/.tsbuildinfo' },
      include: ['src']
    }),
    'package-lock.json': '{}',
    'package.json': '{ "type": "module" }',
    node_modules: {},
    src: {
      'main.ts': "import { two } from './deep/two_pb.js'\nexport const three: number = two + 1\n",
      'gone.ts': 'export const gone = 1\n',
      deep: { 'two_pb.js': 'export const two = 2\n', 'two_pb.d.ts': 'export const two: number\n', 'labels.txt': 'cat\n' }
    }
  })
  symlinkSync(COMPILER, join(root, 'node_modules', 'typescript'))
  return root
}

function contextOf (root: string) {
  return { root, env: process.env, platform: process.platform, arch: process.arch, progress: recordNotes() }
}

t.test('compiles what is TypeScript, copies the rest, and then is done', async t => {
  const context = contextOf(clone(t))
  t.notOk(dist.isDone(context))
  await dist.run(context, recordPhases())
  t.ok(dist.isDone(context))
  for (const path of ['main.js', 'main.js.map', 'gone.js', 'deep/two_pb.js', 'deep/labels.txt']) t.ok(existsSync(join(context.root, 'dist', path)), path)
  const { three } = await import(join(context.root, 'dist/main.js')) as { three: number }
  t.equal(three, 3)
})

t.test('a changed, new or removed source is built again', async t => {
  const context = contextOf(clone(t))
  await dist.run(context, recordPhases())
  writeFileSync(join(context.root, 'src/new.ts'), 'export const fresh = true\n')
  t.notOk(dist.isDone(context), 'new')
  rmSync(join(context.root, 'src/gone.ts'))
  await dist.run(context, recordPhases())
  t.ok(dist.isDone(context))
  t.match(readFileSync(join(context.root, 'dist/new.js'), 'utf8'), 'fresh = true')
  t.notOk(existsSync(join(context.root, 'dist/gone.js')), 'what was compiled from a removed source is gone')
  writeFileSync(join(context.root, 'src/deep/labels.txt'), 'dog\n')
  t.notOk(dist.isDone(context), 'changed')
})

t.test('a build that fails does not count, and says where', async t => {
  const context = contextOf(clone(t))
  writeFileSync(join(context.root, 'src/main.ts'), 'const word: string = 1\nexport { word }\n')
  await t.rejects(dist.run(context, recordPhases()), { name: 'SetupError', message: /src\/main\.ts\(1,7\): error TS2322/ })
  t.notOk(dist.isDone(context))
})

t.test('a killed build is done again', async t => {
  const context = contextOf(clone(t))
  mkdirSync(join(context.root, 'dist'))
  writeFileSync(join(context.root, 'dist/main.js'), 'export const thr')
  t.notOk(dist.isDone(context))
  await dist.run(context, recordPhases())
  t.match(readFileSync(join(context.root, 'dist/main.js'), 'utf8'), 'export const three = two + 1')
})
