import t from 'tap'
import sharp from 'sharp'
import { confusionChart, contactSheet, lineChart, svgToPng, textSheet } from '../../../src/training/plotting/index.ts'

const labels = (count: number): string[] => Array.from({ length: count }, (_, index) => `class ${index}`)

t.test('lines are drawn with title, axes and legend', async t => {
  const svg = lineChart({ title: 'Loss', xName: 'epoch', yName: 'loss', lines: [{ name: 'one', points: [[1, 3], [2, NaN], [3, 1]] }, { name: 'two', points: [[1, 2], [3, 0]] }] })
  for (const text of ['>Loss<', '>epoch<', '>loss<', '>one<', '>two<']) t.ok(svg.includes(text), text)
  t.notOk(svg.includes('NaN'))
})

t.test('a line of no points or one is a chart all the same', async t => {
  t.ok(lineChart({ title: 'None', xName: 'x', yName: 'y', lines: [{ name: 'line', points: [] }] }).startsWith('<svg'))
  t.ok(lineChart({ title: 'One', xName: 'x', yName: 'y', lines: [{ name: 'line', points: [[1, 1]] }] }).startsWith('<svg'))
})

t.test('a confusion matrix shows its counts; of many classes those with the most mistakes', async t => {
  const few = confusionChart([[41, 2], [0, 57]], ['cat', 'dog'])
  for (const text of ['>41<', '>2<', '>57<', '>cat<', '>dog<']) t.ok(few.includes(text), text)
  const counts = labels(40).map((_, actual) => labels(40).map((_, predicted) => Number(actual === predicted) * 5))
  counts[37]![3] = 9
  const many = confusionChart(counts, labels(40))
  t.match(many, 'the 30 of 40 classes with the most mistakes')
  t.ok(many.includes('>class 37<') && many.includes('>class 3<') && many.includes('>9<'))
  t.notOk(many.includes('>class 39<'), 'no mistakes')
})

t.test('a contact sheet holds the pictures, and what is said of them as text', async t => {
  const png = await sharp({ create: { width: 4, height: 2, channels: 3, background: '#ff0000' } }).png().toBuffer()
  const svg = contactSheet('Worst', [{ png, width: 4, height: 2, captions: ['is <b>&"c"', 'x'.repeat(99)] }])
  t.match(svg, 'is &lt;b&gt;&amp;&quot;c&quot;')
  t.ok(svg.includes(`${'x'.repeat(21)}…`), 'cut')
  const { data, info } = await sharp(svgToPng(svg)).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const [x, y] = [2 * (16 + 66), 2 * (58 + 66)]
  t.strictSame([...data.subarray((y * info.width + x) * info.channels).subarray(0, 3)], [255, 0, 0])
})

t.test('texts are wrapped, and what XML can not hold is left out', async t => {
  const svg = textSheet('Worst', [{ text: `a\u0000b\uD800 ${'word '.repeat(200)}`, captions: ['is kind', '0.98 unkind'] }])
  t.ok(svg.includes('a b\uFFFD word'))
  t.match(svg, /word …</)
  t.ok(svgToPng(svg).length > 1000)
})

t.test('letters are drawn without the machine\'s fonts', async t => {
  const draw = async (text: string): Promise<Buffer> => await sharp(svgToPng(`<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20" fill="#fff"/><text x="2" y="15" font-size="14">${text}</text></svg>`)).raw().toBuffer()
  const blank = await draw('')
  t.notSame(await draw('A'), blank)
  t.notSame(await draw('A'), await draw('B'))
})
