import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { JsonText } from '../prediction/tensor-json/json-pieces.ts'

export const JSON_TYPE = 'application/json; charset=utf-8'

/** Sends JSON piece by piece, as fast as the client takes it. */
export function replyInPieces (reply: FastifyReply, { pieces, sizeBytes }: JsonText): FastifyReply {
  return reply.type(JSON_TYPE).header('content-length', sizeBytes).send(Readable.from(pieces))
}
