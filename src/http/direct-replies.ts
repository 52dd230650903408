import type { FastifyReply, FastifyRequest } from 'fastify'
import { errorBody, retryAfter } from './error-replies.ts'
import { headersOf } from './observe.ts'
import type { ReplyError } from './reply-error.ts'
import { JSON_TYPE } from './reply-json.ts'

/** Replies that Fastify has no part in, with the headers that its hooks give the others: where many are answered, or refused, what each costs is taken from the next. */
export interface DirectReplies {
  /** 200, with JSON that is written already. */
  readonly answer: (request: FastifyRequest, reply: FastifyReply, json: string) => FastifyReply
  /** Answers a request that is over before it begins, as every error is answered. */
  readonly refuse: (request: FastifyRequest, reply: FastifyReply, error: ReplyError) => void
}

/** @param isDraining whether replies tell their clients not to use the connection again */
export function createDirectReplies (isDraining: () => boolean): DirectReplies {
  const send = (request: FastifyRequest, reply: FastifyReply, status: number, json: string, headers?: Record<string, number>): FastifyReply => {
    reply.hijack()
    reply.raw.writeHead(status, { ...headersOf(request, isDraining()), ...headers, 'content-type': JSON_TYPE, 'content-length': Buffer.byteLength(json) })
    reply.raw.end(json)
    return reply
  }
  return {
    answer: (request, reply, json) => send(request, reply, 200, json),
    refuse: (request, reply, error) => {
      if (request.trace !== undefined) request.trace.error = error
      request.raw.resume() // what is left of the body is dropped
      send(request, reply, error.statusCode, errorBody(error, request.id), retryAfter(error))
    }
  }
}
