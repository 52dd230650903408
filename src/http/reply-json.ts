import type { FastifyReply } from 'fastify'
import type { Trace } from '../prediction/trace.ts'

/** Sends JSON whose writing counts to the request's `encode`, which Fastify's own serialization would come too late for. */
export async function replyJson (reply: FastifyReply, trace: Trace, value: unknown): Promise<FastifyReply> {
  return replyText(reply, await trace.time('encode', () => JSON.stringify(value)))
}

/** @param json already written */
export function replyText (reply: FastifyReply, json: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(json)
}
