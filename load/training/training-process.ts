// Trains one of the cases, in a process of its own, by tensorport or by tfjs-node. Takes one job from its parent, answers and ends.
import type { TensorValue } from '../../src/tensorflow/index.ts'
import { tensorDataset } from '../../src/training/datasets/dataset.ts'
import { adam } from '../../src/training/optimizers.ts'
import { tf } from '../../src/training/tf.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { CASES, labels, type CaseName, type TrainingCase } from './cases.ts'

export interface TrainingJob {
  readonly by: 'tensorport' | 'tfjs-node'
  readonly name: CaseName
  /** Of tensorport's products. */
  readonly precision: 'float32' | 'bfloat16'
  readonly rows: number
  /** Timed ones; one more goes before them. */
  readonly epochs: number
}

export interface TrainingResult {
  /** Of each timed epoch. */
  readonly epochSeconds: readonly number[]
  /** Most that was ever resident. */
  readonly peakBytes: number
}

process.once('message', (job: TrainingJob) => {
  train(job).then(epochSeconds => process.send!({ epochSeconds, peakBytes: process.resourceUsage().maxRSS * 1024 } satisfies TrainingResult, () => process.exit(0)), (error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})

process.once('disconnect', () => process.exit(1))

async function train ({ by, name, rows, epochs, precision }: TrainingJob): Promise<number[]> {
  const trained: TrainingCase = CASES[name]
  const ends: number[] = []
  const onEpochEnd = (): void => { ends.push(performance.now()) }
  const fit = by === 'tensorport' ? byTensorport : byTfjs
  await fit(trained, { rows, epochs: epochs + 1, precision }, onEpochEnd)
  return ends.slice(1).map((end, index) => (end - ends[index]!) / 1000)
}

type Fit = (trained: TrainingCase, job: Pick<TrainingJob, 'rows' | 'epochs' | 'precision'>, onEpochEnd: () => void) => Promise<void>

const byTensorport: Fit = async (trained, { rows, epochs, precision }, onEpochEnd) => {
  const trainer = await Trainer.create({ model: trained.buildModel(), loss: 'sparseCategoricalCrossentropy', optimizer: adam({ learningRate: 0.001 }), metrics: ['accuracy'], seed: 1, precision })
  await trainer.fit({ data: tensorDataset(trained.inputs(rows), labels(rows, trained.classes)), epochs, batchSize: trained.batchSize, callbacks: [{ onEpochEnd }] })
  await trainer.close()
}

/** As its users do it: one-hot labels, the data as tensors of its own, `model.fit`. */
const byTfjs: Fit = async (trained, { rows, epochs }, onEpochEnd) => {
  const model = trained.buildModel()
  model.compile({ optimizer: tf.train.adam(0.001), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
  const x = toTfjs(trained.inputs(rows))
  const y = tf.oneHot(toTfjs(labels(rows, trained.classes)), trained.classes)
  await model.fit(x, y, { epochs, batchSize: trained.batchSize, verbose: 0, callbacks: { onEpochEnd: async () => { onEpochEnd() } } })
}

function toTfjs ({ dtype, shape, data }: TensorValue): ReturnType<typeof tf.tensor> {
  return tf.tensor(data as Float32Array | Int32Array, [...shape], dtype as 'float32' | 'int32')
}
