import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type tf from '@tensorflow/tfjs'
import t from 'tap'
import { AttentionLayer } from '../../src/recipes/attention-layer.ts'
import { loadLibrary, type TensorValue } from '../../src/tensorflow/index.ts'
import { buildPredictor, closePredictor, predict, savePredictor } from '../../src/training/predictor.ts'
import { withSeed } from '../../src/training/random.ts'
import { tf as tfjs } from '../../src/training/tf.ts'
import { randomInputs, toValue } from '../support/compare-lowering.ts'

loadLibrary()
const python = process.env['TENSORPORT_PYTHON']
const { layers } = tfjs

const models: Record<string, { shape: number[], stack: () => tf.layers.Layer[] }> = {
  'lstm-fused': { shape: [6, 3], stack: () => [layers.lstm({ units: 4, recurrentActivation: 'sigmoid' })] },
  'lstm-hard-sigmoid': { shape: [6, 3], stack: () => [layers.lstm({ units: 4, returnSequences: true })] },
  gru: { shape: [6, 3], stack: () => [layers.gru({ units: 4 }), layers.dense({ units: 2, activation: 'softmax' })] },
  'simple-rnn': { shape: [6, 3], stack: () => [layers.simpleRNN({ units: 4 })] },
  bidirectional: { shape: [6, 3], stack: () => [layers.bidirectional({ layer: layers.lstm({ units: 4 }), mergeMode: 'concat' })] },
  attention: { shape: [6, 3], stack: () => [layers.lstm({ units: 4, returnSequences: true }), new AttentionLayer({})] },
  pictures: { shape: [8, 6, 2], stack: () => [layers.resizing({ height: 7, width: 6 }), layers.centerCrop({ height: 5, width: 4 }), layers.separableConv2d({ filters: 3, kernelSize: 2 }), layers.batchNormalization(), layers.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2 })] },
  volumes: { shape: [4, 4, 4, 2], stack: () => [layers.conv3d({ filters: 3, kernelSize: 2 }), layers.maxPooling3d({ poolSize: 2, strides: 1 }), layers.conv3dTranspose({ filters: 2, kernelSize: 2, strides: 2 })] }
}

const script = `
import json, sys, tensorflow as tf
answers = {}
for name in sys.argv[2:]:
    inputs = json.load(open(f'{sys.argv[1]}/{name}/input.json'))
    model = tf.saved_model.load(f'{sys.argv[1]}/{name}')
    output, = model.signatures['serving_default'](x=tf.reshape(tf.constant(inputs['data'], tf.float32), inputs['shape'])).values()
    answers[name] = {'shape': output.shape.as_list(), 'data': output.numpy().flatten().tolist()}
print(json.dumps(answers))`

t.test('Python TensorFlow answers as the lowered model', { skip: python === undefined ? 'TENSORPORT_PYTHON is not set' : false }, async t => {
  const folder = t.testdir()
  const expected = new Map<string, TensorValue>()
  for (const [name, { shape, stack }] of Object.entries(models)) {
    const model = withSeed(8, () => tfjs.sequential({ layers: [layers.inputLayer({ inputShape: shape, name: 'x' }), ...stack()] }))
    const values = await Promise.all(model.weights.map(async weight => [weight, await toValue(weight.read())] as const))
    const predictor = await buildPredictor(model, values)
    const x = await toValue(randomInputs(model)[0]!)
    expected.set(name, Object.values(await predict(predictor, { x }))[0]!)
    await mkdir(join(folder, name))
    await savePredictor(join(folder, name), predictor)
    await closePredictor(predictor)
    await writeFile(join(folder, name, 'input.json'), JSON.stringify({ shape: x.shape, data: Array.from(x.data as Float32Array) }))
  }
  const { stdout } = await promisify(execFile)(python!, ['-c', script, folder, ...expected.keys()], { env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' } })
  const answers = JSON.parse(stdout) as Record<string, { shape: number[], data: number[] }>
  for (const [name, { shape, data }] of expected) {
    t.strictSame(answers[name]?.shape, shape, name)
    const worst = Math.max(...answers[name]!.data.map((value, index) => Math.abs(value - Number(data[index]))))
    t.ok(worst <= 1e-5, `${name}: no number differs by more than ${worst}`)
  }
})
