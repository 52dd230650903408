// What one writes first with the usual parts: Fastify, sharp, and tfjs-node's `loadSavedModel().predict` on the main thread, one request at a time.
// Started by peers/naive.ts with MODEL_DIRECTORY (of a version), HOST and PORT.
import { createRequire } from 'node:module'
import multipart from '@fastify/multipart'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import sharp from 'sharp'
import { readManifest } from '../src/registry/read-manifest.ts'
import type { ImageContract, Manifest, TextContract } from '../src/registry/manifest.ts'
import { createTokenizer } from '../src/text/index.ts'

type TensorFlow = typeof import('@tensorflow/tfjs-node-gpu')

const { MODEL_DIRECTORY: directory = '', HOST: host = '', PORT: port = '' } = process.env
const tf = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu') as TensorFlow

const manifest: Manifest = (await readManifest(directory))?.manifest ?? { format: 1, task: 'tensor' }
const model = await tf.node.loadSavedModel(directory, ['serve'], manifest.signature ?? 'serving_default')

const app = fastify({ bodyLimit: 32 * 1024 * 1024 })
await app.register(multipart)
app.get('/health/ready', () => ({ status: 'ready' }))
await addRoute(app, manifest)
process.once('SIGTERM', () => { app.close().then(() => process.exit(0), () => process.exit(1)) })
await app.listen({ host, port: Number(port) })

async function addRoute (app: FastifyInstance, { image, text, input }: Manifest): Promise<void> {
  if (image !== undefined) app.post('/predict/image', async request => rank(await predictImage(request, image, input)))
  else if (text !== undefined) await addTextRoute(app, text)
  else app.post('/v1/models/mlp::predict', request => ({ predictions: predictRows((request.body as { instances: number[][] }).instances) }))
}

async function predictImage (request: FastifyRequest, { width, height }: ImageContract, input: string | undefined): Promise<number[]> {
  const file = await request.file()
  const { data } = await sharp(await file!.toBuffer()).rotate().resize(width, height, { fit: 'fill' }).toColourspace('srgb').removeAlpha().raw()
    .toBuffer({ resolveWithObject: true })
  return tf.tidy(() => {
    const pixels = tf.tensor4d(data, [1, height, width, 3], 'int32')
    return firstRow(model.predict(input === undefined ? pixels : { [input]: pixels }))
  })
}

async function addTextRoute (app: FastifyInstance, contract: TextContract): Promise<void> {
  const tokenizer = await createTokenizer(contract, directory)
  app.post('/predict/text', async request => {
    const { ids, length } = await tokenizer.encode([(request.body as { text: string }).text])
    return rank(tf.tidy(() => firstRow(model.predict({ [contract.inputs.ids]: tf.tensor2d(ids, [1, length], 'int32') }))))
  })
}

function predictRows (instances: number[][]): unknown {
  return tf.tidy(() => onlyTensor(model.predict(tf.tensor2d(instances))).arraySync())
}

type Prediction = ReturnType<typeof model.predict>

function firstRow (prediction: Prediction): number[] {
  return Array.from(onlyTensor(prediction).dataSync())
}

/** A signature with one output gives a tensor, or an object that holds it. */
function onlyTensor (prediction: Prediction): Extract<Prediction, { dataSync: unknown }> {
  const tensor = 'dataSync' in prediction ? prediction : Object.values(prediction)[0]
  return tensor as Extract<Prediction, { dataSync: unknown }>
}

function rank (scores: number[]): object {
  const probabilities = scores.length === 1 ? [1 - scores[0]!, scores[0]!] : scores
  const confidence = Math.max(...probabilities)
  return { predicted_class: probabilities.indexOf(confidence), confidence, all_probabilities: probabilities }
}
