import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const source = fileURLToPath(new URL('../src/', import.meta.url))

/** Each file of src/ with what it imports: packages by name, files by their path under src/. */
const imports = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(path => path.endsWith('.ts') && !path.endsWith('.d.ts')).sort()
  .map(path => ({ path, targets: importsOf(path) }))

function importsOf (path: string): string[] {
  const text = readFileSync(join(source, path), 'utf8')
  const specifiers = [...text.matchAll(/(?:from|import|require\.resolve|require)\s*\(?\s*'([^']+)'/g)].map(([, specifier]) => specifier!)
  return specifiers.map(specifier => specifier.startsWith('.') ? relative(source, join(source, dirname(path), specifier)) : specifier)
}

function importers (isTarget: (target: string) => boolean): string[] {
  return imports.filter(({ targets }) => targets.some(isTarget)).map(({ path }) => path)
}

function outside (paths: string[], allowed: RegExp): string[] {
  return paths.filter(path => !allowed.test(path))
}

t.test('Fastify and its plugins are known to http/ and server.ts only', async t => {
  t.strictSame(outside(importers(target => target === 'fastify' || /^@fastify\/(?!error$)/.test(target)), /^(http\/|server\.ts)/), [])
})

t.test('sharp is known to image/ only', async t => {
  t.strictSame(outside(importers(target => target === 'sharp'), /^image\//), [])
})

t.test('charts are drawn in training/plotting/ only', async t => {
  t.strictSame(outside(importers(target => /^(echarts|@resvg)\//.test(target)), /^training\/plotting\//), [])
})

t.test('koffi is known to tensorflow/ only', async t => {
  t.strictSame(outside(importers(target => target === 'koffi'), /^tensorflow\//), [])
})

t.test('only the messages\' library and tensorflow/ know protobuf', async t => {
  t.strictSame(outside(importers(target => target.startsWith('@bufbuild/')), /^tensorflow\//), [])
})

t.test('tfjs is known to training/ and recipes/ only', async t => {
  t.strictSame(outside(importers(target => target.startsWith('@tensorflow/')), /^(training|recipes)\//), [])
})

t.test('serving never imports training', async t => {
  const training = /^(training|recipes)\//
  t.strictSame(outside(importers(target => training.test(target)), training), [])
})

t.test('nobody imports main.ts', async t => {
  t.strictSame(importers(target => target === 'main.ts'), [])
})

t.test('what watches over workers knows neither models nor HTTP', async t => {
  const workers = imports.filter(({ path }) => path.startsWith('workers/')).flatMap(({ targets }) => targets)
  t.strictSame(outside(workers, /^(node:|workers\/|pino$|prom-client$|end\.ts$|errors\.ts$)/), [])
})

t.test('tensorflow/ is entered through its index, or its types alone', async t => {
  const doors = ['tensorflow/index.ts', 'tensorflow/dtype.ts']
  t.strictSame(outside(importers(target => target.startsWith('tensorflow/') && !doors.includes(target)), /^tensorflow\//), [])
})

t.test('the core below http/ does not know http/', async t => {
  t.strictSame(outside(importers(target => target.startsWith('http/')), /^(http\/|server\.ts)/), [])
})

t.test('no folder is called utils, helpers or common', async t => {
  t.strictSame(imports.filter(({ path }) => /(^|\/)(utils?|helpers?|common)(\/|\.ts)/.test(path)).map(({ path }) => path), [])
})
