import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { JsonText } from '../prediction/tensor-json/json-pieces.ts'
import type { Trace } from '../prediction/trace.ts'

export const JSON_TYPE = 'application/json; charset=utf-8'

/** Sends JSON whose writing counts to the request's `encode`, which Fastify's own serialization would come too late for. */
export async function replyJson (reply: FastifyReply, trace: Trace, value: unknown): Promise<FastifyReply> {
  return reply.type(JSON_TYPE).send(await trace.time('encode', () => JSON.stringify(value)))
}

/** Sends JSON that is written already: a large one piece by piece, as fast as the client takes it. */
export function replyText (reply: FastifyReply, { pieces, sizeBytes }: JsonText): FastifyReply {
  reply.type(JSON_TYPE)
  if (pieces.length === 1) return reply.send(pieces[0])
  return reply.header('content-length', sizeBytes).send(Readable.from(pieces))
}
