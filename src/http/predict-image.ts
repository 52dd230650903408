import multipart from '@fastify/multipart'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { ImagePredictor } from '../prediction/predict-image.ts'
import { askAtDoor, type DoorOptions, namedInQuery } from './door.ts'
import { readImages, type ImageBodyLimits } from './image-body.ts'
import { addJsonBody } from './json-body.ts'
import { parseVersion, PredictionQuery } from './prediction-query.ts'
import { replyJson } from './reply-json.ts'
import { requireTrace } from './observe.ts'
import { readTerms } from './request-terms.ts'
import { whileWanted } from './request-lifetime.ts'

export interface PredictImageOptions extends DoorOptions, ImageBodyLimits {
  readonly predictImages: ImagePredictor
}

const Query = Type.Object({
  ...PredictionQuery.properties,
  debug: Type.Optional(Type.Literal('input', { description: 'also gives back what the model saw' }))
})

const ACCEPTS = 'multipart/form-data, image/*, application/octet-stream, application/json'

/** Photos in, classes out: `POST /predict/image`. */
export const predictImageRoute: FastifyPluginAsyncTypebox<PredictImageOptions> = async (app, { predictImages, door, refuse, timeoutMs, ...limits }) => {
  app.removeAllContentTypeParsers()
  askAtDoor(app, { door, refuse, timeoutMs }, namedInQuery)
  addJsonBody(app)
  for (const type of [/^image\//, 'application/octet-stream']) {
    app.addContentTypeParser(type, { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => body)
  }
  await app.register(multipart)
  app.post('/predict/image', { schema: { querystring: Query }, config: { accepts: ACCEPTS } }, async (request, reply) => {
    const { model, version, topK, debug } = request.query
    const trace = requireTrace(request)
    const terms = readTerms(request, timeoutMs)
    const { isList, predictions } = await whileWanted(reply, terms, async signal => {
      const { images, isList } = await readImages(request, limits)
      signal.throwIfAborted()
      const wanted = { model, version: version === undefined ? undefined : parseVersion(version), topK, showInput: debug === 'input' }
      return { isList, predictions: await predictImages({ images, ...wanted, ...terms, signal, trace }) }
    })
    return await replyJson(reply, trace, isList ? { predictions } : predictions[0])
  })
}
