import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ClientClosedError } from '../errors.ts'
import type { Metrics } from '../metrics.ts'
import { PHASES, Trace } from '../prediction/trace.ts'
import { shortPath } from './error-replies.ts'
import { isFault, type ReplyError } from './reply-error.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined only for what Fastify refuses before it has a route. */
    trace: Trace | undefined
  }
}

/** Requests that have begun on a connection and are not over, and why Node refused the connection, if it did. */
export interface Connections {
  readonly open: WeakMap<Socket, number>
  readonly refused: WeakMap<Socket, ReplyError>
}

export interface ObserveOptions {
  readonly metrics: Metrics
  readonly connections: Connections
  /** Replies tell their clients not to use the connection again. */
  readonly isDraining: () => boolean
}

/** Gives every request a trace, every reply `x-request-id` and `Server-Timing`, and every exchange one line in the log and its metrics. */
export function observeRequests (app: FastifyInstance, options: ObserveOptions): void {
  app.decorateRequest('trace', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    beginTrace(request, reply, options)
    done()
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    addHeaders(request, reply, options)
    done(null, payload)
  })
}

/** Hooks call this; the framework's own errors, which pass no hook, too. */
export function beginTrace (request: FastifyRequest, reply: FastifyReply, options: ObserveOptions): void {
  const { open } = options.connections
  const { socket } = request.raw
  request.trace = new Trace(performance.now())
  open.set(socket, (open.get(socket) ?? 0) + 1)
  reply.raw.once('close', () => {
    open.set(socket, (open.get(socket) ?? 1) - 1)
    observe(request, reply, options)
  })
}

/** The trace that every request has once it has a route. */
export function requireTrace ({ trace }: FastifyRequest): Trace {
  if (trace === undefined) throw new Error('A request has no trace. This is a bug.')
  return trace
}

export function addHeaders (request: FastifyRequest, reply: FastifyReply, options: ObserveOptions): void {
  reply.headers(headersOf(request, options.isDraining()))
}

/** What every reply has besides its own headers. */
export function headersOf ({ id, trace }: FastifyRequest, isDraining: boolean): Record<string, string> {
  const headers: Record<string, string> = { 'x-request-id': id }
  if (trace !== undefined) headers['server-timing'] = serverTiming(trace, performance.now())
  if (isDraining) headers['connection'] = 'close'
  return headers
}

/** @see https://www.w3.org/TR/server-timing/ */
function serverTiming ({ startedAt, phases }: Trace, now: number): string {
  let timings = ''
  for (const phase of PHASES) if (phases.has(phase)) timings += `${phase};dur=${phases.get(phase)!.toFixed(2)}, `
  return `${timings}total;dur=${(now - startedAt).toFixed(2)}`
}

function observe (request: FastifyRequest, reply: FastifyReply, { metrics, connections }: ObserveOptions): void {
  const trace = requireTrace(request)
  const error = outcome(request, reply, trace, connections)
  const status = error?.statusCode ?? reply.raw.statusCode
  const seconds = (performance.now() - trace.startedAt) / 1000
  metrics.observeRequest({ route: request.routeOptions.url ?? 'none', method: request.method, status, seconds, trace, code: error?.code })
  const line = {
    requestId: request.id,
    method: request.method,
    path: shortPath(request),
    status,
    ms: Number((seconds * 1000).toFixed(2)),
    model: trace.model,
    version: trace.version,
    rows: trace.rows,
    bytes: bodyBytes(request),
    code: error?.code,
    ...(error !== undefined && isFault(error) && { err: error })
  }
  if (error !== undefined && isFault(error)) request.log.error(line)
  else request.log.info(line)
}

/** What went wrong, if anything: a connection lost before the reply was out counts more than what else happened. */
function outcome (request: FastifyRequest, reply: FastifyReply, trace: Trace, { refused }: Connections): ReplyError | undefined {
  if (!reply.raw.writableEnded) return refused.get(request.raw.socket) ?? new ClientClosedError() as Error as ReplyError
  return trace.error as ReplyError | undefined
}

/** Of the request's body; undefined if it had none or did not say. */
function bodyBytes ({ headers }: FastifyRequest): number | undefined {
  const length = headers['content-length']
  return length === undefined ? undefined : Number(length)
}
