import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isInstalled, npmCli } from '../../scripts/setup/node-modules.mjs'

const LOCKED = {
  '': { version: '0.1.0' },
  'node_modules/one': { version: '1.0.0' },
  'node_modules/two': { version: '2.0.0' },
  'node_modules/two-for-another-platform': { version: '2.0.0', optional: true }
}

function clone (t: Test, installed?: Record<string, { version: string }>): string {
  return t.testdir({
    'package-lock.json': JSON.stringify({ packages: LOCKED }),
    ...(installed === undefined ? {} : { node_modules: { '.package-lock.json': JSON.stringify({ packages: installed }) } })
  })
}

t.test('what npm recorded is compared with the lock file', async t => {
  const [one, two] = [{ version: '1.0.0' }, { version: '2.0.0' }]
  t.notOk(isInstalled(clone(t)), 'no node_modules, or npm was killed in it')
  t.ok(isInstalled(clone(t, { 'node_modules/one': one, 'node_modules/two': two })))
  t.ok(isInstalled(clone(t, { 'node_modules/one': one, 'node_modules/two': two, 'node_modules/mine': one })), 'something was added by hand')
  t.notOk(isInstalled(clone(t, { 'node_modules/one': one })), 'a new dependency')
  t.notOk(isInstalled(clone(t, { 'node_modules/one': one, 'node_modules/two': one })), 'another version')
})

t.test('npm is the one that is running, or the one in PATH', async t => {
  t.equal(npmCli({ npm_execpath: '/somewhere/npm-cli.js' }), '/somewhere/npm-cli.js')
  t.match(npmCli(process.env), /npm-cli\.js$/)
  t.match(npmCli({ PATH: process.env['PATH'], npm_execpath: '/somewhere/yarn.js' }), /npm-cli\.js$/)
})

t.test('checking a real clone takes milliseconds', async t => {
  const root = join(import.meta.dirname, '../..')
  const startedAt = performance.now()
  for (let time = 0; time < 10; time++) isInstalled(root)
  t.ok((performance.now() - startedAt) / 10 < 100)
})
