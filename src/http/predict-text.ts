import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { TextPredictor } from '../prediction/predict-text.ts'
import { askAtDoor, type DoorOptions, namedInQuery } from './door.ts'
import { addJsonBody } from './json-body.ts'
import { parseVersion, PredictionQuery } from './prediction-query.ts'
import { wholeBody } from './read-whole.ts'
import { requireTrace } from './observe.ts'
import { readTerms } from './request-terms.ts'
import { whileWanted } from './request-lifetime.ts'
import { readTexts, type TextBodyLimits } from './text-body.ts'

export interface PredictTextOptions extends DoorOptions, TextBodyLimits {
  readonly predictTexts: TextPredictor
}

const Query = Type.Object({
  ...PredictionQuery.properties,
  text: Type.Optional(Type.String({ description: 'the text, where there is no body' }))
})

/** Sentences in, classes out: `POST /predict/text`. */
export const predictTextRoute: FastifyPluginAsyncTypebox<PredictTextOptions> = async (app, { predictTexts, door, replies, timeoutMs, ...limits }) => {
  app.removeAllContentTypeParsers()
  askAtDoor(app, { door, replies, timeoutMs }, namedInQuery)
  addJsonBody(app)
  app.addContentTypeParser('text/plain', wholeBody(app, body => body))
  app.post('/predict/text', { schema: { querystring: Query }, config: { accepts: 'application/json, text/plain' } }, async (request, reply) => {
    const { model, version, topK, text } = request.query
    const trace = requireTrace(request)
    const terms = readTerms(request, timeoutMs)
    const { texts, isList } = await readTexts(request.body, text, limits)
    const wanted = { model, version: version === undefined ? undefined : parseVersion(version), topK }
    const predictions = await whileWanted(reply, terms, async signal => await predictTexts({ texts, ...wanted, ...terms, signal, trace }))
    return replies.answer(request, reply, trace.timeNow('encode', () => JSON.stringify(isList ? { predictions } : predictions[0])))
  })
}
