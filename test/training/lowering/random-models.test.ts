import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { loadLibrary } from '../../../src/tensorflow/index.ts'
import { seededRandom } from '../../../src/training/random.ts'
import { tf as tfjs } from '../../../src/training/tf.ts'
import { compareLowering } from '../../support/compare-lowering.ts'

loadLibrary()

const { layers } = tfjs
const MODELS = 40
const MOST_LAYERS = 5

/** Decisions of one model. */
class Choices {
  readonly #random: () => number

  constructor (seed: number) {
    this.#random = seededRandom(seed)
  }

  /** A whole number, both ends included. */
  number (least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1))
  }

  of<Item> (items: readonly Item[]): Item {
    return items[this.number(0, items.length - 1)]!
  }

  get flag (): boolean {
    return this.number(0, 1) === 1
  }
}

/** Adds something to a model. */
type Growth = (x: tf.SymbolicTensor, choose: Choices) => tf.SymbolicTensor

const with1 = (make: (choose: Choices) => tf.layers.Layer): Growth => (x, choose) => make(choose).apply(x) as tf.SymbolicTensor
const activation = (choose: Choices): 'relu' => choose.of(['linear', 'relu', 'tanh', 'sigmoid', 'elu', 'softplus', 'swish' as 'relu']) as 'relu'
const padding = (choose: Choices): 'same' | 'valid' => choose.flag ? 'same' : 'valid'

/** TensorFlow.js fails at the gradient of a single step. */
const recurrent = (make: (choose: Choices) => tf.layers.Layer): Growth => (x, choose) => x.shape[1] === 1 ? x : with1(make)(x, choose)

/** A branch beside x that is brought together with it. */
const merged: Growth = (x, choose) => {
  const beside = layers.dense({ units: x.shape.at(-1)!, activation: activation(choose) }).apply(x) as tf.SymbolicTensor
  const merge = choose.of([() => layers.add(), () => layers.multiply(), () => layers.average(), () => layers.maximum(), () => layers.minimum(), () => layers.concatenate()])
  return merge().apply([x, beside]) as tf.SymbolicTensor
}

const everywhere: Growth[] = [
  with1(choose => layers.dense({ units: choose.number(1, 4), activation: activation(choose), useBias: choose.flag })),
  with1(() => layers.layerNormalization()),
  with1(choose => layers.leakyReLU({ alpha: 0.1 * choose.number(1, 3) })),
  with1(choose => layers.activation({ activation: activation(choose) })),
  merged
]

/** By the number of a row's dimensions: vectors, sequences, pictures. */
const growths: Record<number, Growth[]> = {
  1: [...everywhere, with1(choose => layers.repeatVector({ n: choose.number(2, 3) })), with1(() => layers.softmax())],
  2: [
    ...everywhere,
    with1(choose => layers.conv1d({ filters: choose.number(1, 3), kernelSize: choose.number(1, 2), padding: 'same', activation: activation(choose) })),
    recurrent(choose => layers.simpleRNN({ units: choose.number(1, 3), returnSequences: choose.flag })),
    recurrent(choose => layers.gru({ units: choose.number(1, 3), returnSequences: choose.flag })),
    recurrent(choose => layers.lstm({ units: choose.number(1, 3), returnSequences: choose.flag, recurrentActivation: choose.flag ? 'sigmoid' : 'hardSigmoid' })),
    with1(() => layers.globalAveragePooling1d()),
    with1(() => layers.globalMaxPooling1d()),
    with1(() => layers.permute({ dims: [2, 1] })),
    with1(() => layers.flatten())
  ],
  3: [
    ...everywhere,
    with1(choose => layers.conv2d({ filters: choose.number(1, 3), kernelSize: choose.number(1, 2), padding: 'same', strides: choose.number(1, 2), activation: activation(choose), useBias: choose.flag })),
    with1(choose => layers.depthwiseConv2d({ kernelSize: 2, padding: 'same', depthMultiplier: choose.number(1, 2) })),
    with1(choose => layers.zeroPadding2d({ padding: choose.number(1, 2) })),
    with1(choose => layers.maxPooling2d({ poolSize: 1, strides: choose.number(1, 2), padding: padding(choose) })),
    with1(() => layers.globalAveragePooling2d({})),
    with1(() => layers.flatten())
  ]
}

function randomModel (seed: number): tf.LayersModel {
  const choose = new Choices(seed)
  const input = tfjs.input({ shape: choose.of([[5], [4, 3], [5, 4, 2]]) })
  let x = input
  for (let count = choose.number(2, MOST_LAYERS); count > 0; count--) x = choose.of(growths[x.shape.length - 1]!)(x, choose)
  return tfjs.model({ inputs: input, outputs: x })
}

for (let seed = 1; seed <= MODELS; seed++) {
  const model = randomModel(seed)
  t.test(`seed ${seed}: ${model.layers.map(layer => layer.getClassName()).join(', ')}`, async t => {
    await compareLowering(t, model)
    if (!t.passing()) t.comment(model.toJSON(undefined, false))
  })
}
