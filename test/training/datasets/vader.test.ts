import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { loadVader, VADER_FILES } from '../../../src/training/datasets/vader.ts'

const [FILMS, PRODUCTS] = VADER_FILES
const CACHE = '/nowhere'

function numbered (count: number): string {
  return Array.from({ length: count }, (_, index) => `${index}\t${index % 2 === 0 ? '2.5' : '-1.5'}\tsentence ${index}`).join('\r\n')
}

t.test('reads scored sentences of both files, leaves neutral ones and repeats out', async t => {
  const directory = t.testdir({
    [FILMS]: "1\t2.26666666667\tSplendid, ''truly''.\r\n2\t-0.99\tso so\r\n3\t-1\tDull \r\n\r\n4\t3\tdull",
    [PRODUCTS]: '1_1\t-3.7\tit\tbroke\n1_2\t1.0\tCliché\n'
  })
  const { train, heldOut } = await loadVader({ directory, cacheDirectory: CACHE, seed: 1 })
  t.strictSame(heldOut, [])
  t.strictSame(train.toSorted((a, b) => a.score - b.score), [
    { text: 'it broke', score: -3.7, label: 0 },
    { text: 'Dull', score: -1, label: 0 },
    { text: 'Cliché', score: 1, label: 1 },
    { text: "Splendid, ''truly''.", score: 2.26666666667, label: 1 }
  ])
})

t.test('holds out a tenth, the same for the same seed, and learns from the rest', async t => {
  const directory = t.testdir({ [FILMS]: numbered(100), [PRODUCTS]: '' })
  const [first, again, other] = await Promise.all([7, 7, 8].map(async seed => await loadVader({ directory, cacheDirectory: CACHE, seed })))
  t.strictSame(first, again)
  t.notSame(first?.heldOut, other?.heldOut)
  t.equal(first?.heldOut.length, 10)
  t.equal(new Set([...first?.heldOut ?? [], ...first?.train ?? []].map(({ text }) => text)).size, 100)
})

t.test('reads a file that is not UTF-8 as Windows-1252', async t => {
  const directory = t.testdir({ [FILMS]: Buffer.from('1\t2\tclich\xe9', 'latin1'), [PRODUCTS]: '' })
  t.strictSame((await loadVader({ directory, cacheDirectory: CACHE, seed: 1 })).train, [{ text: 'cliché', score: 2, label: 1 }])
})

t.test('refuses a line that is not one, naming file and line', async t => {
  for (const line of ['1\t2', 'no tabs', '1\tgood\ttext', '1\t\ttext', '1\t5\ttext', '1\tNaN\ttext', '1\t2\t ']) {
    const directory = t.testdir({ [FILMS]: `1\t2\tfine\r\n${line}\r\n`, [PRODUCTS]: '' })
    await t.rejects(loadVader({ directory, cacheDirectory: CACHE, seed: 1 }), { code: 'TRAIN_BAD_DATASET', message: new RegExp(`${FILMS}, line 2 is not`) }, line)
  }
})

t.test('says which files a folder has to hold', async t => {
  const message = new RegExp(`${PRODUCTS} can not be read \\(ENOENT\\); the folder needs ${FILMS} and ${PRODUCTS}`)
  await t.rejects(loadVader({ directory: t.testdir({ [FILMS]: numbered(1) }), cacheDirectory: CACHE, seed: 1 }), { code: 'TRAIN_BAD_DATASET', message })
})

const shared = fileURLToPath(new URL('../../../../shared/datasets/vader-sentences/', import.meta.url))
t.test('finds 6105 positive and 5512 negative sentences in the real files', { skip: existsSync(shared) ? false : '../shared/datasets/vader-sentences is not here' }, async t => {
  const { train, heldOut } = await loadVader({ directory: shared, cacheDirectory: CACHE, seed: 1 })
  const all = [...train, ...heldOut]
  t.equal(heldOut.length, 1161)
  t.strictSame([all.filter(({ label }) => label === 1).length, all.filter(({ label }) => label === 0).length], [6105, 5512])
  t.ok(all.some(({ text }) => text.includes('clichés')))
})
