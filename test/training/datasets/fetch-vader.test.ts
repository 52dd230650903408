import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { fetchVader } from '../../../src/training/datasets/fetch-vader.ts'

const skip = spawnSync('python3', ['-m', 'pip', '--version']).status === 0 ? false : 'there is no python3 with pip'

/** A package index on disk, for pip to find a source package in; its setup.py must not run. */
function packageIndex (t: Test): { sha256: string, cache: string, files: () => string[] } {
  const directory = t.testdir({ index: {}, cache: {}, work: { hutto_ICWSM_2014: { 'a.txt': 'sentences of a', 'b.txt': 'of b', 'c.txt': 'of c' } } })
  const work = join(directory, 'work')
  const source = join(work, 'vaderSentiment-3.3.2')
  mkdirSync(join(source, 'additional_resources'), { recursive: true })
  writeFileSync(join(source, 'setup.py'), `open(${JSON.stringify(join(directory, 'setup-ran'))}, 'w')`)
  execFileSync('tar', ['czf', join(source, 'additional_resources', 'hutto_ICWSM_2014.tar.gz'), '-C', work, 'hutto_ICWSM_2014'])
  const archive = join(directory, 'index', 'vaderSentiment-3.3.2.tar.gz')
  execFileSync('tar', ['czf', archive, '-C', work, 'vaderSentiment-3.3.2'])
  const before = { ...process.env }
  Object.assign(process.env, { PIP_NO_INDEX: '1', PIP_FIND_LINKS: join(directory, 'index') })
  t.teardown(() => { process.env = before })
  return { sha256: createHash('sha256').update(readFileSync(archive)).digest('hex'), cache: join(directory, 'cache'), files: () => readdirSync(directory) }
}

t.test('fetches the files asked for out of the source package, once', { skip }, async t => {
  const { sha256, cache, files } = packageIndex(t)
  const folder = await fetchVader(cache, ['a.txt', 'b.txt'], { sha256 })
  t.strictSame(readdirSync(folder).map(name => [name, readFileSync(join(folder, name), 'utf8')]), [['a.txt', 'sentences of a'], ['b.txt', 'of b']])
  t.strictSame(readdirSync(join(cache, 'datasets')), ['vader-3.3.2'])
  t.equal(await fetchVader(cache, ['a.txt', 'b.txt'], { python: 'not-needed-any-more' }), folder)
  t.strictSame(files(), ['cache', 'index', 'work'], 'setup.py did not run')
})

t.test('two processes that fetch at once both end up with the files', { skip }, async t => {
  const { sha256, cache } = packageIndex(t)
  const [first, second] = await Promise.all([fetchVader(cache, ['a.txt'], { sha256 }), fetchVader(cache, ['a.txt'], { sha256 })])
  t.equal(first, second)
  t.strictSame(readdirSync(join(cache, 'datasets')), ['vader-3.3.2'])
})

t.test('leaves nothing behind and says why and what to do where it fails', { skip }, async t => {
  const { sha256, cache } = packageIndex(t)
  const refused: [attempt: () => Promise<string>, reason: RegExp][] = [
    [() => fetchVader(cache, ['a.txt']), /its SHA-256 differs/],
    [() => fetchVader(cache, ['missing.txt'], { sha256 }), /missing\.txt.* not found/],
    [() => fetchVader(cache, ['a.txt'], { sha256, python: 'no-such-python' }), /no-such-python ENOENT/],
    [() => fetchVader(cache, ['a.txt'], { sha256, python: 'false' }), /false ended with 1/]
  ]
  for (const [attempt, reason] of refused) {
    const error = await attempt().then(() => undefined, (error: NodeJS.ErrnoException) => error)
    t.match(error, { code: 'TRAIN_BAD_DATASET', message: reason })
    t.match(error, { message: /give --data a folder with the files/ })
  }
  t.strictSame(readdirSync(join(cache, 'datasets')), [])
})
