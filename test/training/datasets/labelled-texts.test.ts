import { gzipSync } from 'node:zlib'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { classesOf, labelledTexts, openTextFile } from '../../../src/training/datasets/labelled-texts.ts'

const COLUMNS = { textColumn: 'text', labelColumn: 'label' }

const files: Record<string, string | Uint8Array> = {
  'quoted.csv': '\ufeffid,text,label\r\n1,"said ""hm"", é",kind\r\n\r\n2,"two\nlines",unkind\r\n3,last,kind',
  'raw.tsv': 'text\tlabel\nsaid "hm", é\tkind\n"two lines\tunkind\nlast\tkind\n',
  'objects.jsonl': '{"label": "kind", "text": "said \\"hm\\", é"}\n\n{"text": "two\\nlines", "label": "unkind"}\r\n{"text": "last", "label": "kind"}',
  'packed.jsonl.gz': gzipSync('{"text": "a", "label": 1}\n{"text": "b", "label": 0}\n{"text": "c", "label": 1}\n')
}

for (const [name, [second, packed]] of Object.entries({ 'quoted.csv': ['two\nlines', false], 'raw.tsv': ['"two lines', false], 'objects.jsonl': ['two\nlines', false], 'packed.jsonl.gz': ['b', true] } as const)) {
  t.test(`rows of ${name} are read in any order`, async t => {
    const path = join(t.testdir(), name)
    await writeFile(path, files[name]!)
    const file = await openTextFile({ path, ...COLUMNS })
    t.strictSame(file.labels, packed ? ['1', '0', '1'] : ['kind', 'unkind', 'kind'])
    t.strictSame(await file.texts([2, 0, 1, 2]), packed ? ['c', 'a', 'b', 'c'] : ['last', 'said "hm", é', second, 'last'])
  })
}

t.test('rows longer than a chunk of the file are found', async t => {
  const path = join(t.testdir(), 'long.jsonl')
  const texts = [100_000, 3, 200_000].map((length, index) => 'aé€'[index]!.repeat(length))
  await writeFile(path, texts.map((text, index) => JSON.stringify({ text, label: index % 2 })).join('\n'))
  t.strictSame(await (await openTextFile({ path, ...COLUMNS })).texts([2, 1, 0]), texts.toReversed())
})

t.test('a file without a header is read by the names given', async t => {
  const path = join(t.testdir({ 'sms.tsv': 'ham\tSee you\nspam\tWIN "now\n' }), 'sms.tsv')
  const file = await openTextFile({ path, columns: ['label', 'text'], ...COLUMNS })
  t.strictSame([file.labels, await file.texts([1, 0])], [['ham', 'spam'], ['WIN "now', 'See you']])
})

t.test('classes are numbered by size or alphabet, and rows can be chosen', async t => {
  const path = join(t.testdir({ 'a.csv': 'text,label\na,10\nb,9\nc,10\n' }), 'a.csv')
  const file = await openTextFile({ path, ...COLUMNS })
  t.strictSame(classesOf(file), ['9', '10'])
  const chosen = labelledTexts(file, classesOf(file), Int32Array.of(2, 1))
  t.strictSame(chosen.labels, Int32Array.of(1, 0))
  t.strictSame(await chosen.texts([1, 0]), ['b', 'c'])
  t.throws(() => labelledTexts(file, ['9', 'nine']), { code: 'TRAIN_BAD_DATASET', message: `${path} has the label "10", which is none of 9, nine` })
})

const refused: [name: string, text: string, message: RegExp][] = [
  ['a.csv', 'text,label\nx,1\ny\n', /a\.csv, line 3.*: expect 2, got 1/],
  ['a.csv', 'text,label\n"never closed,1\nz,2\n', /a\.csv, line 3.*opening quote/],
  ['a.csv', 'text,label\nx"y,1\n', /a\.csv, line 2, column (1|text): a quote is found/],
  ['a.csv', 'text,text\nx,1\n', /a\.csv, line 1: two columns are called "text"/],
  ['a.csv', 'words,label\nx,1\n', /a\.csv, line 2: there is no column "text"; there are: words, label/],
  ['a.csv', 'text,label\nx, \n', /a\.csv, line 2, column label: a label is expected, not " "/],
  ['a.tsv', 'text\tlabel\n', /a\.tsv has no rows/],
  ['a.jsonl', '{"text": "x", "label": 1}\n{"text"\n', /a\.jsonl, line 2: .*JSON/],
  ['a.jsonl', '["x", 1]\n', /a\.jsonl, line 1: an object is expected/],
  ['a.jsonl', '{"text": 5, "label": 1}\n', /a\.jsonl, line 1, column text: a text is expected, not 5/],
  ['a.jsonl', '{"text": "x", "label": null}\n', /a\.jsonl, line 1, column label: a label is expected, not null/],
  ['a.txt', 'x', /a\.txt has to end in \.csv, \.tsv or \.jsonl/],
  ['a.csv.gz', 'not packed', /a\.csv\.gz can not be unpacked: incorrect header check/]
]

for (const [name, text, message] of refused) {
  t.test(`${name} with ${JSON.stringify(text)} is refused`, async t => {
    const path = join(t.testdir({ [name]: text }), name)
    await t.rejects(openTextFile({ path, ...COLUMNS }), { code: 'TRAIN_BAD_DATASET', message })
  })
}

t.test('one class is none, and a missing file is named', async t => {
  const path = join(t.testdir({ 'a.csv': 'text,label\na,x\nb,x\n' }), 'a.csv')
  const file = await openTextFile({ path, ...COLUMNS })
  t.throws(() => classesOf(file), { code: 'TRAIN_BAD_DATASET', message: `${path}: every label is "x"; two classes at least are needed` })
  await t.rejects(openTextFile({ path: '/nonexistent/a.csv', ...COLUMNS }), { code: 'TRAIN_BAD_DATASET', message: /\/nonexistent\/a\.csv can not be read: ENOENT/ })
})
