import t from 'tap'
import { chooseModel, type ServedModels } from '../../src/prediction/choose-model.ts'

const images = { task: 'image-classification', configured: '', wellKnown: 'imagenet' } as const

function served (models: ServedModels['models'], isReady = true): ServedModels {
  return { models, isReady }
}

t.test('the configured model wins over the well-known one', async t => {
  t.equal(chooseModel({ ...images, configured: 'theirs' }, served([{ name: 'imagenet', task: 'image-classification' }])), 'theirs')
})

t.test('the well-known model wins over others of the task, even while it loads', async t => {
  t.equal(chooseModel(images, served([{ name: 'imagenet' }, { name: 'cats', task: 'image-classification' }])), 'imagenet')
})

t.test('a model of the well-known name but another task does not count', async t => {
  t.equal(chooseModel(images, served([{ name: 'imagenet', task: 'tensor' }, { name: 'cats', task: 'image-classification' }])), 'cats')
})

t.test('of several models of the task none is taken, and all are named', async t => {
  const models = [{ name: 'cats', task: 'image-classification' }, { name: 'words', task: 'text-classification' }, { name: 'dogs', task: 'image-classification' }] as const
  t.throws(() => chooseModel(images, served(models)), { code: 'SERVE_NO_DEFAULT_MODEL', statusCode: 404, message: /cats, dogs$/ })
})

t.test('no model of the task is 404 once all are loaded, 503 before', async t => {
  t.throws(() => chooseModel(images, served([])), { code: 'SERVE_NO_DEFAULT_MODEL', statusCode: 404 })
  t.throws(() => chooseModel(images, served([], false)), { code: 'SERVE_NO_MODEL', statusCode: 503, message: /^Model not loaded/ })
})
