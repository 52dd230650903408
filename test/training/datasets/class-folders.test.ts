import { symlink } from 'node:fs/promises'
import { join, relative } from 'node:path'
import t from 'tap'
import { findClassFolders } from '../../../src/training/datasets/class-folders.ts'

const files = (count: number): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}.jpg`, '']))

t.test('train and val are taken as they are, classes in alphabetical order', async t => {
  const directory = t.testdir({ train: { tulip: files(2), daisy: files(1) }, val: { tulip: files(1), daisy: files(1) } })
  const { classes, train, validation } = await findClassFolders(directory, 1)
  const named = (found: typeof train): unknown[] => found.map(({ path, label }) => [relative(directory, path), label])
  t.strictSame(classes, ['daisy', 'tulip'])
  t.strictSame(named(train), [['train/daisy/0.jpg', 0], ['train/tulip/0.jpg', 1], ['train/tulip/1.jpg', 1]])
  t.strictSame(named(validation), [['val/daisy/0.jpg', 0], ['val/tulip/0.jpg', 1]])
})

t.test('without val, a fifth of each class is held out, by the seed', async t => {
  const directory = t.testdir({ a: files(10), b: files(20), '.git': {}, 'notes.txt': '' })
  const { classes, train, validation } = await findClassFolders(directory, 1)
  t.strictSame(classes, ['a', 'b'])
  t.strictSame([0, 1].map(label => [train, validation].map(part => part.filter(file => file.label === label).length)), [[8, 2], [16, 4]])
  t.equal(new Set([...train, ...validation].map(({ path }) => path)).size, 30)
  t.strictSame(await findClassFolders(directory, 1), { classes, train, validation })
  t.notSame((await findClassFolders(directory, 2)).validation, validation)
})

t.test('train alone is split too', async t => {
  const { train, validation } = await findClassFolders(t.testdir({ train: { a: files(5), b: files(5) } }), 1)
  t.strictSame([train.length, validation.length], [8, 2])
})

t.test('a link to a folder counts as one', async t => {
  const directory = t.testdir({ real: files(2), set: { a: files(2) } })
  await symlink(join(directory, 'real'), join(directory, 'set', 'b'))
  t.strictSame((await findClassFolders(join(directory, 'set'), 1)).classes, ['a', 'b'])
})

t.test('what is missing is said, with the path', async t => {
  const directory = t.testdir({ none: {}, one: { a: files(3) }, hollow: { a: files(3), b: {} }, single: { a: files(3), b: files(1) }, strange: { train: { a: files(1), b: files(1) }, val: { a: files(1), c: files(1) } } })
  const cases: Record<string, string> = {
    none: '/none has no class folders: give each class a folder of its own, two at least',
    one: '/one has one class folder, "a": give each class a folder of its own, two at least',
    hollow: '/hollow/b is empty',
    single: '/single/b has one file: one to learn from and one to measure with are needed',
    strange: '/strange/train has not',
    absent: '/absent'
  }
  for (const [name, end] of Object.entries(cases)) {
    await t.rejects(findClassFolders(join(directory, name), 1), { code: 'TRAIN_BAD_DATASET', message: new RegExp(`${end}$`) })
  }
})
