import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { recipes } from '../src/recipes/index.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.md')).map(name => join('docs', name))]
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }

for (const page of pages) {
  const text = readFileSync(join(root, page), 'utf8')
  t.test(`${page} leads to files that are there`, async t => {
    for (const [, target] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (!/^\w+:/.test(target!)) t.ok(existsSync(join(root, dirname(page), target!)), target!)
    }
  })
  t.test(`${page} names commands and recipes that are there`, async t => {
    for (const [, script] of text.matchAll(/npm run ([a-z][\w:]*)/g)) t.ok(script! in scripts, script!)
    for (const [, recipe] of text.matchAll(/npm run train -- ([a-z][\w-]*)/g)) t.ok(recipes.some(({ name }) => name === recipe), recipe!)
  })
}

t.test('the course has a picture of everything that is in its folder, and a chapter for each of eight', async t => {
  const course = readFileSync(join(root, 'docs', 'course.md'), 'utf8')
  for (const name of readdirSync(join(root, 'docs', 'course'))) t.ok(course.includes(`(course/${name})`), name)
  t.equal(course.match(/^## \d\. /gm)?.length, 8)
})
