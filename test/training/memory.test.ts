import { join } from 'node:path'
import t from 'tap'
import { floats, loadLibrary } from '../../src/tensorflow/index.ts'
import { checkpoint } from '../../src/training/callbacks/checkpoint.ts'
import { tensorDataset } from '../../src/training/datasets/dataset.ts'
import { adam } from '../../src/training/optimizers.ts'
import { seededRandom } from '../../src/training/random.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { tf } from '../../src/training/tf.ts'
import { ownMemoryMib } from '../support/own-memory.ts'

loadLibrary()
await tf.setBackend('cpu')

const [ROWS, COLUMNS, BATCH_SIZE] = [512, 1024, 64] // a batch is a quarter of a MiB, an epoch two
const WATCHED = 10
const EPOCHS = 200

t.test('memory stays flat over 180 epochs, with validation and checkpoints', async t => {
  const random = seededRandom(1)
  const data = tensorDataset(floats([ROWS, COLUMNS], Array.from({ length: ROWS * COLUMNS }, random)), floats([ROWS, 1], Array.from({ length: ROWS }, random)))
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 4, activation: 'relu', inputShape: [COLUMNS] }), tf.layers.dropout({ rate: 0.2 }), tf.layers.dense({ units: 1 })] })
  const trainer = await Trainer.create({ model, loss: 'meanSquaredError', optimizer: adam(), seed: 1 })
  t.teardown(async () => { await trainer.close() })
  const settled: number[] = []
  const atLast: number[] = []
  const onEpochEnd = async (epoch: number): Promise<void> => {
    if (epoch >= WATCHED && epoch < 2 * WATCHED) settled.push(await ownMemoryMib())
    if (epoch >= EPOCHS - WATCHED) atLast.push(await ownMemoryMib())
  }
  await trainer.fit({ data, validation: data, epochs: EPOCHS, batchSize: BATCH_SIZE, callbacks: [{ onEpochEnd }, checkpoint({ path: join(t.testdir(), 'last') })] })
  const grown = Math.min(...atLast) - Math.min(...settled) // the least of ten epochs: batches under way stand in the others
  t.ok(grown < 36, `memory grew by ${grown.toFixed(1)} MiB; allowed are 36, what the allocator keeps of a busy moment: 180 epochs were fed 720`)
})
