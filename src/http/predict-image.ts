import multipart from '@fastify/multipart'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { ByteMemory } from '../prediction/byte-memory.ts'
import type { ImagePredictor } from '../prediction/predict-image.ts'
import { askAtDoor, type DoorOptions, namedInQuery } from './door.ts'
import { addRawImages, readImages, type ImageBodyOptions } from './image-body.ts'
import { addJsonBody } from './json-body.ts'
import { parseVersion, PredictionQuery } from './prediction-query.ts'
import { requireTrace } from './observe.ts'
import { readTerms } from './request-terms.ts'
import { whileWanted } from './request-lifetime.ts'

export interface PredictImageOptions extends DoorOptions, Omit<ImageBodyOptions, 'memory'> {
  readonly predictImages: ImagePredictor
}

const Query = Type.Object({
  ...PredictionQuery.properties,
  debug: Type.Optional(Type.Literal('input', { description: 'also gives back what the model saw' }))
})

const ACCEPTS = 'multipart/form-data, image/*, application/octet-stream, application/json'

/** Photos in, classes out: `POST /predict/image`. */
export const predictImageRoute: FastifyPluginAsyncTypebox<PredictImageOptions> = async (app, { predictImages, door, replies, timeoutMs, ...limits }) => {
  const bodies = { ...limits, memory: new ByteMemory() }
  app.removeAllContentTypeParsers()
  askAtDoor(app, { door, replies, timeoutMs }, namedInQuery)
  addJsonBody(app)
  addRawImages(app, bodies)
  await app.register(multipart)
  app.post('/predict/image', { schema: { querystring: Query }, config: { accepts: ACCEPTS } }, async (request, reply) => {
    const { model, version, topK, debug } = request.query
    const trace = requireTrace(request)
    const terms = readTerms(request, timeoutMs)
    const { isList, predictions } = await whileWanted(reply, terms, async signal => {
      const { images, isList, giveBack } = await readImages(request, bodies)
      signal.throwIfAborted()
      const wanted = { model, version: version === undefined ? undefined : parseVersion(version), topK, showInput: debug === 'input' }
      const predictions = await predictImages({ images, ...wanted, ...terms, signal, trace })
      giveBack() // not after an error: a decode may still read them
      return { isList, predictions }
    })
    return replies.answer(request, reply, trace.timeNow('encode', () => JSON.stringify(isList ? { predictions } : predictions[0])))
  })
}
