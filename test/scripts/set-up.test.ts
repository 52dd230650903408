import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { defaultModels } from '../../scripts/setup/default-models.mjs'
import { setUp, STEPS, type Step } from '../../scripts/setup/set-up.mjs'
import { recordNotes } from '../support/silent-progress.ts'

/** A step that leaves a file. */
function leave (file: string, ms = 0): Step {
  return {
    name: file,
    isDone: ({ root }) => existsSync(join(root, file)),
    run: async ({ root }) => {
      if (existsSync(join(root, file))) throw new Error(`${file} was made twice`)
      await new Promise(resolve => setTimeout(resolve, ms))
      writeFileSync(join(root, file), '')
    }
  }
}

t.test('runs what is not done, in order, and then nothing', async t => {
  const root = t.testdir({ clone: { two: '' }, cache: {} })
  const given = { root: join(root, 'clone'), env: { XDG_CACHE_HOME: join(root, 'cache') }, progress: recordNotes() }
  const steps = ['one', 'two', 'three'].map(name => leave(name))
  t.strictSame(await setUp(steps, given), ['one', 'three'])
  const startedAt = performance.now()
  t.strictSame(await setUp(steps, given), [])
  t.ok(performance.now() - startedAt < 100, 'in milliseconds')
})

t.test('two set-ups of one clone share the work', async t => {
  const root = t.testdir({ clone: {}, cache: {} })
  const given = { root: join(root, 'clone'), env: { XDG_CACHE_HOME: join(root, 'cache') }, progress: recordNotes() }
  const steps = ['one', 'two', 'three'].map(name => leave(name, 30))
  const ran = await Promise.all([setUp(steps, given), setUp(steps, given)])
  t.strictSame(ran.flat().sort(), ['one', 'three', 'two'])
})

t.test('a step that fails stops it, and is run again next time', async t => {
  const root = t.testdir({ clone: {}, cache: {} })
  const given = { root: join(root, 'clone'), env: { XDG_CACHE_HOME: join(root, 'cache') }, progress: recordNotes() }
  let isDiskFull = true
  const failing: Step = { ...leave('two'), run: async (context, progress) => { if (isDiskFull) throw new Error('disk full'); await leave('two').run(context, progress) } }
  await t.rejects(setUp([leave('one'), failing, leave('three')], given), { message: 'disk full' })
  isDiskFull = false
  t.strictSame(await setUp([leave('one'), failing, leave('three')], given), ['two', 'three'])
})

t.test('serving needs no compiler', async t => {
  t.notOk(STEPS['start']!.some(({ name }) => name === 'tfjs-node addon'))
  t.ok(STEPS['train']!.some(({ name }) => name === 'tfjs-node addon'))
})

t.test('the default model is for the default folder, where it has no version', async t => {
  const root = t.testdir({ none: { models: { imagenet: { notes: '', 1: {} } } }, some: { models: { imagenet: { '0003': { 'saved_model.pb': '' } } } } })
  const context = { platform: 'linux', arch: 'x64', progress: recordNotes() }
  t.notOk(defaultModels.isDone({ ...context, root: join(root, 'none'), env: {} }))
  t.ok(defaultModels.isDone({ ...context, root: join(root, 'none'), env: { MODELS_DIR: '/my/models' } }))
  t.ok(defaultModels.isDone({ ...context, root: join(root, 'some'), env: {} }))
})
