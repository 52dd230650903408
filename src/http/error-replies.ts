import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RouteNotFoundError } from '../errors.ts'
import { toReplyError, type ReplyError } from './reply-error.ts'
import { JSON_TYPE } from './reply-json.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Content types that the route reads, for its 415. */
    accepts?: string
  }
}

export interface ErrorReplyOptions {
  readonly bodyLimitBytes: number
  readonly maxFiles: number
}

/** Seconds after which a client that got 503 may try again, where the error does not know better. */
const RETRY_AFTER_S = 1

/** Every error becomes a reply of one shape: `{"error": message, "code", "requestId"}`. No route gives another. */
export function addErrorReplies (app: FastifyInstance, options: ErrorReplyOptions): void {
  app.setErrorHandler((error, request, reply) => { replyWithError(error, request, reply, options) })
  app.setNotFoundHandler((request, reply) => { replyWithError(routeNotFound(request), request, reply, options) })
  // Before a body is read that nobody wants.
  app.addHook('onRequest', (request, _reply, done) => { done(request.is404 ? routeNotFound(request) : undefined) })
}

/** Also for errors that Fastify meets before it has a route, hooks and a trace. */
export function replyWithError (error: unknown, request: FastifyRequest, reply: FastifyReply, options: ErrorReplyOptions): void {
  const known = toReplyError(error, {
    ...options,
    method: request.method,
    path: shortPath(request),
    contentType: request.headers['content-type'],
    accepts: request.routeOptions.config.accepts
  })
  if (request.trace !== undefined) request.trace.error = known
  readOn(request, reply)
  reply.headers(retryAfter(known)).code(known.statusCode).type(JSON_TYPE).send(errorBody(known, request.id))
}

/** Of a 503. */
export function retryAfter ({ statusCode, retryAfterSeconds = RETRY_AFTER_S }: ReplyError): Record<string, number> {
  return statusCode === 503 ? { 'retry-after': retryAfterSeconds } : {}
}

/** The path without its query, 200 characters of it at most. */
export function shortPath ({ url }: Pick<FastifyRequest, 'url'>): string {
  const [path = ''] = url.split('?', 1)
  return path.length > 200 ? `${path.slice(0, 199)}…` : path
}

export function errorBody ({ message, code }: Pick<ReplyError, 'message' | 'code'>, requestId: string): string {
  return JSON.stringify({ error: message, code, requestId })
}

/**
 * Reads and drops what is left of the body: closing now, as Fastify would, resets the connection under the client's hands, which then sees
 * that instead of the reply. `requestTimeout` bounds how long this may go on.
 */
function readOn (request: FastifyRequest, reply: FastifyReply): void {
  if (request.raw.readableEnded) return
  reply.removeHeader('connection')
  request.raw.resume()
}

function routeNotFound (request: FastifyRequest): Error {
  return new RouteNotFoundError(request.method, shortPath(request))
}
