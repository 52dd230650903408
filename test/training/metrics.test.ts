import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary, type TensorValue } from '../../src/tensorflow/index.ts'
import { tensorDataset } from '../../src/training/datasets/dataset.ts'
import { binaryCrossentropy, type LossChoice } from '../../src/training/losses.ts'
import { auc, binaryAccuracy, f1, meanMetric, precision, recall, topK, type Metric, type MetricName } from '../../src/training/metrics.ts'
import { confusionMatrix, predictedClasses } from '../../src/training/metrics/confusion-matrix.ts'
import { sgd } from '../../src/training/optimizers.ts'
import { seededRandom } from '../../src/training/random.ts'
import { tf as tfjs } from '../../src/training/tf.ts'
import { Trainer } from '../../src/training/trainer.ts'

loadLibrary()
await tfjs.setBackend('cpu')

const ROWS = 50

interface Scored { scores: number[][], labels: number[] }

/** Scores that are right more often than not. */
function scored (classes: number, seed = 4): Scored {
  const random = seededRandom(seed)
  const labels = Array.from({ length: ROWS }, () => Math.floor(random() * Math.max(classes, 2)))
  const raw = labels.map(label => Array.from({ length: classes }, (_, index) => random() + (classes === 1 ? label * 0.3 : index === label ? 0.25 : 0)))
  const scores = raw.map(row => classes === 1 ? [row[0]! / 1.3] : row.map(score => score / row.reduce((sum, part) => sum + part, 0)))
  return { scores, labels }
}

/** Measures given scores as a model would that gives what it gets, in batches of 16. */
async function measure ({ scores, labels }: Scored, loss: LossChoice, metrics: (MetricName | Metric)[]): Promise<Record<string, number>> {
  const classes = scores[0]!.length
  const model: tf.LayersModel = tfjs.sequential({ layers: [tfjs.layers.dense({ units: classes, useBias: false, inputShape: [classes], weights: [tfjs.eye(classes)] })] })
  const trainer = await Trainer.create({ model, loss, metrics, optimizer: sgd(), seed: 1 })
  const x: TensorValue = { dtype: 'float32', shape: [ROWS, classes], data: Float32Array.from(scores.flat()) }
  const y: TensorValue = loss === 'categoricalCrossentropy'
    ? { dtype: 'float32', shape: [ROWS, classes], data: Float32Array.from(labels.flatMap(label => scores[0]!.map((_, index) => Number(index === label)))) }
    : { dtype: 'int32', shape: [ROWS], data: Int32Array.from(labels) }
  const { loss: _, ...logs } = await trainer.evaluate(tensorDataset(x, y), 16)
  await trainer.close()
  return logs
}

/** Figures are quotients of whole numbers, exact in float64. */
function isExactly (t: { ok (ok: boolean, name: string, extra: object): void }, found: Record<string, number>, expected: Record<string, number>): void {
  t.ok(Object.keys(expected).join() === Object.keys(found).join() && Object.entries(expected).every(([name, value]) => Math.abs(found[name]! - value) < 1e-12), 'as counted by hand', { found, expected })
}

const classesOf = (scores: number[][]): number[] => scores.map(row => row.indexOf(Math.max(...row)))

/** From the definition. */
function ofClass (labels: number[], predicted: number[], label: number): { precision: number, recall: number, f1: number } {
  const hits = labels.filter((actual, row) => actual === label && predicted[row] === label).length
  const [p, r] = [hits / predicted.filter(found => found === label).length, hits / labels.filter(actual => actual === label).length]
  return { precision: p, recall: r, f1: 2 * p * r / (p + r) }
}

t.test('precision, recall and F1 of yes and no, with a threshold', async t => {
  const rows = scored(1)
  for (const threshold of [0.5, 0.7]) {
    const predicted = rows.scores.map(([score]) => Number(score! > threshold))
    const metrics = [precision({ threshold }), recall({ threshold }), f1({ threshold }), binaryAccuracy({ threshold })]
    const accuracy = rows.labels.filter((label, row) => label === predicted[row]).length / ROWS
    isExactly(t, await measure(rows, 'binaryCrossentropy', metrics), { ...ofClass(rows.labels, predicted, 1), binaryAccuracy: accuracy })
  }
})

t.test('of two classes the second one counts', async t => {
  const rows = scored(2)
  const expected = ofClass(rows.labels, classesOf(rows.scores), 1)
  isExactly(t, await measure(rows, 'sparseCategoricalCrossentropy', ['precision', 'recall', 'f1']), expected)
  isExactly(t, await measure(rows, 'categoricalCrossentropy', ['precision', 'recall', 'f1']), expected)
})

t.test('of more classes all count the same, and of two if asked for', async t => {
  for (const classes of [2, 4]) {
    const rows = scored(classes)
    const each = Array.from({ length: classes }, (_, label) => ofClass(rows.labels, classesOf(rows.scores), label))
    const mean = (name: 'precision' | 'recall' | 'f1'): number => each.reduce((sum, figures) => sum + figures[name], 0) / classes
    const metrics = [precision({ average: 'macro' }), recall({ average: 'macro' }), f1({ average: 'macro' })]
    const expected = { precision: mean('precision'), recall: mean('recall'), f1: mean('f1') }
    isExactly(t, await measure(rows, 'sparseCategoricalCrossentropy', metrics), expected)
    if (classes > 2) isExactly(t, await measure(rows, 'categoricalCrossentropy', ['precision', 'recall', 'f1']), expected)
  }
})

t.test('a class that is never predicted counts as 0', async t => {
  const rows = { scores: Array.from({ length: ROWS }, () => [0.1]), labels: scored(1).labels }
  isExactly(t, await measure(rows, 'binaryCrossentropy', ['precision', 'recall', 'f1']), { precision: 0, recall: 0, f1: 0 })
})

/** How many of all pairs are in order. */
function areaOf (yes: number[], no: number[]): number {
  const pairs = yes.flatMap(high => no.map(low => high > low ? 1 : high === low ? 0.5 : 0))
  return pairs.reduce<number>((sum, pair) => sum + pair, 0) / pairs.length
}

t.test('the area under the ROC curve is the share of pairs in order', async t => {
  const rows = scored(1)
  rows.scores.forEach(row => { row[0] = Math.round(row[0]! * 100) / 100 }) // some are equal, the others further apart than a bin
  const scoresOf = (label: number): number[] => rows.scores.filter((_, row) => rows.labels[row] === label).map(([score]) => score!)
  const expected = { auc: areaOf(scoresOf(1), scoresOf(0)) }
  t.ok(expected.auc > 0.6 && expected.auc < 0.95)
  isExactly(t, await measure(rows, 'binaryCrossentropy', ['auc']), expected)
  isExactly(t, await measure({ ...rows, scores: rows.scores.map(([p]) => [1 - p!, p!]) }, 'sparseCategoricalCrossentropy', ['auc']), expected)
  const logits = { ...rows, scores: rows.scores.map(([p]) => [Math.log(p! / (1 - p!))]) }
  isExactly(t, await measure(logits, binaryCrossentropy({ fromLogits: true }), [auc()]), expected)
})

t.test('scores next to 0 are told apart', async t => {
  const rows = { labels: Array.from({ length: ROWS }, (_, row) => row % 2), scores: Array.from({ length: ROWS }, (_, row) => [row % 2 === 1 ? 2e-5 : 1e-5]) }
  isExactly(t, await measure(rows, 'binaryCrossentropy', ['auc']), { auc: 1 })
})

t.test('of more classes the area is the mean over each against the rest', async t => {
  const rows = scored(3)
  rows.scores = rows.scores.map(row => row.map(score => Math.round(score * 200) / 200))
  const areas = [0, 1, 2].map(label => areaOf(rows.scores.filter((_, row) => rows.labels[row] === label).map(row => row[label]!), rows.scores.filter((_, row) => rows.labels[row] !== label).map(row => row[label]!)))
  isExactly(t, await measure(rows, 'sparseCategoricalCrossentropy', ['auc']), { auc: areas.reduce((sum, area) => sum + area) / 3 })
})

t.test('accuracies go by their names, and top k is the right class among the k best', async t => {
  const rows = scored(4)
  const accuracy = classesOf(rows.scores).filter((found, row) => found === rows.labels[row]).length / ROWS
  const top2 = rows.scores.filter((row, index) => row.filter(score => score > row[rows.labels[index]!]!).length < 2).length / ROWS
  isExactly(t, await measure(rows, 'sparseCategoricalCrossentropy', ['accuracy', 'sparseCategoricalAccuracy', topK({ k: 2 })]), { acc: accuracy, sparseCategoricalAccuracy: accuracy, top2 })
  isExactly(t, await measure(rows, 'categoricalCrossentropy', ['categoricalAccuracy', topK({ k: 2 })]), { categoricalAccuracy: accuracy, top2 })
})

t.test('from logits, yes begins at 0', async t => {
  const rows = { labels: scored(1).labels, scores: scored(1).scores.map(([score]) => [score! - 0.5]) }
  const found = await measure(rows, binaryCrossentropy({ fromLogits: true }), ['accuracy', 'recall'])
  const { acc, recall: part } = await measure(scored(1), 'binaryCrossentropy', ['accuracy', 'recall'])
  isExactly(t, found, { acc: acc!, recall: part! })
})

t.test('a loss can be measured, and a mean of your own', async t => {
  const rows = scored(1)
  const errors = rows.scores.map(([score], row) => Math.abs(Math.fround(score!) - rows.labels[row]!))
  const worst = meanMetric('over', (scope, { target, output }) => scope.float(scope.op('Greater', [scope.op('Abs', [scope.sub(output, target)]), scope.number(0.5)])))
  const found = await measure(rows, 'binaryCrossentropy', ['meanAbsoluteError', worst])
  t.equal(found['over'], errors.filter(error => error > 0.5).length / ROWS)
  t.ok(Math.abs(found['meanAbsoluteError']! - errors.reduce((sum, error) => sum + error) / ROWS) < 1e-6)
})

t.test('a confusion matrix says which classes were taken for which', async t => {
  const output: TensorValue = { dtype: 'float32', shape: [4, 3], data: Float32Array.of(0.1, 0.8, 0.1, 0.5, 0.2, 0.3, 0, 0, 1, 0.4, 0.4, 0.2) }
  t.strictSame(predictedClasses(output), Int32Array.of(1, 0, 2, 0))
  t.strictSame(confusionMatrix([1, 2, 2, 0], predictedClasses(output), 3), [[1, 0, 0], [0, 1, 0], [1, 0, 1]])
  t.strictSame(predictedClasses({ dtype: 'float32', shape: [3, 1], data: Float32Array.of(0.2, 0.6, 0.5) }), Int32Array.of(0, 1, 0))
  t.throws(() => confusionMatrix([1], [], 2), { message: 'Expected as many predictions as rows, 1, but received 0' })
})
