import type tf from '@tensorflow/tfjs'
import { buildPredictor, closePredictor, predict } from '../predictor.ts'
import { tf as tfjs } from '../tf.ts'
import { evenly, type Curve } from './curve.ts'

/** Those that are a function of one number; softmax looks at all outputs of a layer. */
const NAMES = ['sigmoid', 'tanh', 'relu', 'elu', 'swish', 'gelu', 'mish', 'selu', 'hardSigmoid', 'softplus', 'softsign'] as const

/** Of a negative number; as much as is seen in a picture. */
const LEAK = 0.1

/** What activations give for −4…4, by the operations that a trained model is made of. */
export async function activationCurves (): Promise<Curve[]> {
  const { layers } = tfjs
  const x = tfjs.input({ shape: [1], name: 'x' })
  const activations: tf.layers.Layer[] = [...NAMES.map(activation => layers.activation({ activation, name: activation })), layers.leakyReLU({ alpha: LEAK, name: 'leakyReLU' })]
  const model = tfjs.model({ inputs: x, outputs: activations.map(layer => layer.apply(x) as tf.SymbolicTensor) })
  const xs = evenly(-4, 4, 161)
  const predictor = await buildPredictor(model, [])
  try {
    const found = await predict(predictor, { x: { dtype: 'float32', shape: [xs.length, 1], data: Float32Array.from(xs) } })
    return Object.entries(found).map(([name, { data }]) => ({ name, points: xs.map((at, index) => [at, (data as Float32Array)[index]!]) }))
  } finally {
    await closePredictor(predictor)
    model.dispose()
  }
}
