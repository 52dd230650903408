import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { BadRequestError, MethodNotAllowedError } from '../errors.ts'
import type { TensorPredictor } from '../prediction/predict-tensors.ts'
import { askAtDoor, type DoorOptions, namedInPath } from './door.ts'
import { shortPath } from './error-replies.ts'
import { requireTrace } from './observe.ts'
import { parseVersion } from './prediction-query.ts'
import { wholeBody } from './read-whole.ts'
import { replyInPieces } from './reply-json.ts'
import { readTerms } from './request-terms.ts'
import { whileWanted } from './request-lifetime.ts'

export interface PredictTensorsOptions extends DoorOptions {
  readonly predictTensors: TensorPredictor
}

const ModelParams = Type.Object({ model: Type.String() })
const VersionParams = Type.Object({ model: Type.String(), version: Type.String() })
const LabelParams = Type.Object({ model: Type.String(), label: Type.String() })

/**
 * TensorFlow Serving's REST interface for raw tensors: `POST /v1/models/{name}[/versions/{n}]:predict`.
 *
 * Any Content-Type is read as JSON, as TensorFlow Serving does: curl's `-d` says it is a form.
 *
 * @see https://www.tensorflow.org/tfx/serving/api_rest
 */
export const predictTensorsRoute: FastifyPluginAsyncTypebox<PredictTensorsOptions> = async (app, { predictTensors, ...atDoor }) => {
  const { timeoutMs } = atDoor
  app.removeAllContentTypeParsers()
  askAtDoor(app, atDoor, namedInPath)
  app.addContentTypeParser('*', wholeBody(app, body => body))

  async function predict (request: FastifyRequest, reply: FastifyReply, model: string, version?: number): Promise<FastifyReply> {
    const trace = requireTrace(request)
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array()
    const terms = readTerms(request, timeoutMs)
    const json = await whileWanted(reply, terms, async signal => await predictTensors({ model, version, body, ...terms, signal, trace }))
    const [whole = '', ...more] = json.pieces
    return more.length === 0 ? atDoor.replies.answer(request, reply, whole) : replyInPieces(reply, json)
  }

  app.post('/v1/models/:model', { schema: { params: ModelParams } }, async (request, reply) => {
    return await predict(request, reply, withoutVerb(request.params.model, request, reply))
  })
  app.post('/v1/models/:model/versions/:version', { schema: { params: VersionParams } }, async (request, reply) => {
    const { model, version } = request.params
    return await predict(request, reply, model, parseVersion(withoutVerb(version, request, reply)))
  })
  app.post('/v1/models/:model/labels/:label', { schema: { params: LabelParams } }, async () => { throw labelsUnsupported() })
}

/** A version label is TensorFlow Serving's way to name a version; here a version is a number. */
export function labelsUnsupported (): Error {
  return new BadRequestError('Version labels are not supported; name the version by its number: /v1/models/{name}/versions/{n}')
}

/**
 * Takes `:predict` off the last part of a path.
 *
 * @throws BadRequestError for TensorFlow Serving's other verbs, MethodNotAllowedError where there is none
 */
function withoutVerb (part: string, request: FastifyRequest, reply: FastifyReply): string {
  const colon = part.lastIndexOf(':')
  const verb = part.slice(colon + 1)
  if (colon === -1) {
    reply.header('allow', 'GET, HEAD')
    throw new MethodNotAllowedError(request.method, shortPath(request), 'GET, HEAD; or POST to …:predict')
  }
  if (verb !== 'predict') throw new BadRequestError(`":${verb.slice(0, 40)}" is not supported; send tensors to ":predict", also for signatures that classify or regress`)
  return part.slice(0, colon)
}
