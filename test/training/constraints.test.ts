import t from 'tap'
import { floats, loadLibrary } from '../../src/tensorflow/index.ts'
import { tensorDataset } from '../../src/training/datasets/dataset.ts'
import { sgd } from '../../src/training/optimizers.ts'
import { withSeed } from '../../src/training/random.ts'
import { tf as tfjs } from '../../src/training/tf.ts'
import { Trainer } from '../../src/training/trainer.ts'

loadLibrary()
await tfjs.setBackend('cpu')

const data = tensorDataset(floats([4, 3], [1, -1, 2, 0, 1, 1, -2, 0.5, 1, 1, 1, -1]), floats([4, 2], [1, 0, -3, 2, 0, 1, 2, -2]))

type Constraint = ReturnType<typeof tfjs.constraints.nonNeg>

/** Kernel and bias after a step. */
async function learn (constraint?: Constraint): Promise<Float32Array[]> {
  const model = withSeed(3, () => tfjs.sequential({ layers: [tfjs.layers.dense({ units: 2, inputShape: [3], ...(constraint !== undefined && { kernelConstraint: constraint, biasConstraint: tfjs.constraints.nonNeg() }) })] }))
  const trainer = await Trainer.create({ model, loss: 'meanSquaredError', optimizer: sgd({ learningRate: 0.5 }), seed: 1 })
  await trainer.fit({ data, epochs: 1, batchSize: 4 })
  const values = (await trainer.values()).map(([, value]) => value.data as Float32Array)
  await trainer.close()
  return values
}

const { maxNorm, minMaxNorm, nonNeg, unitNorm } = tfjs.constraints
const constraints: Record<string, Constraint> = {
  maxNorm: maxNorm({ maxValue: 0.7 }),
  'maxNorm along the other axis': maxNorm({ maxValue: 0.3, axis: 1 }),
  'minMaxNorm, half way': minMaxNorm({ minValue: 0.6, maxValue: 0.8, rate: 0.5 }),
  nonNeg: nonNeg(),
  unitNorm: unitNorm({})
}

for (const [name, constraint] of Object.entries(constraints)) {
  t.test(`${name}: a step gives what the constraint makes of a step without it`, async t => {
    const [kernel, bias] = await learn()
    const expected = await constraint.apply(tfjs.tensor(kernel!, [3, 2])).data()
    t.notSame([...expected], [...kernel!], 'there is something to hold back')
    const found = await learn(constraint)
    found[0]!.forEach((value, index) => t.ok(Math.abs(value - expected[index]!) < 1e-6, `${value} and ${expected[index]}`))
    t.strictSame([...found[1]!], Array.from(bias!, value => Math.max(value, 0)))
  })
}
